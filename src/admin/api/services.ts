import type { Account, AccountStore, Directory, Standings } from '../../accounts/index.js';
import type { AuditEvent, AuditLog } from '../../audit/contract.js';
import type { Engine } from '../../factors/index.js';
import type { Outbox } from '../../notifications/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Database, Unit } from '../../platform/database.js';
import type { Page, PageRequest } from '../../platform/paging.js';
import type { AdministratorDesk } from '../../recovery-desk/contract.js';
import type { Sessions } from '../../sessions/index.js';
import type { Webhooks } from '../../webhooks/index.js';
import type { ChangeableClients, Operations, RegisteredClient, Tell } from '../operations/index.js';

/** What an account has let one application do. */
export interface StoredGrant {
  id: string;
  clientId: string;
  scopes: string[];
  createdAt: Date;
  expiresAt: Date;
}

/** The registered applications, as the store of the provider keeps them. */
export interface Clients extends ChangeableClients {
  page(request: PageRequest): Promise<Page<RegisteredClient>>;
  stored(id: string): Promise<RegisteredClient | undefined>;
  change(metadata: RegisteredClient['metadata'], version: number, unit: Unit): Promise<RegisteredClient | undefined>;
}

/** What the rows of the API work with. */
export interface ApiServices {
  /** Address of this API, and the identifier under which applications ask for its tokens. */
  base: string;
  /** Of the languages that mails can be written in. */
  locales: readonly string[];
  /** Who may set a first login method up, as configured. */
  firstEnrolment: string;
  clock: Clock;
  database: Database;
  accounts: AccountStore;
  directory: Directory;
  standings: Standings;
  engine: Engine;
  sessions: Sessions;
  audit: AuditLog;
  desk: AdministratorDesk;
  operations: Operations;
  tell: Tell;
  grants: { list(accountId: string): Promise<StoredGrant[]>; revoke(grantId: string): Promise<void> };
  webhooks: Webhooks;
  clients: Clients;
  /** Of the configuration file. */
  configuredClients: readonly RegisteredClient['metadata'][];
  /** How people know an application; its id where it is gone. */
  applicationName(clientId: string): Promise<string>;
  /** What applications may ask tokens for. */
  resourceIdentifiers: readonly string[];
  /** Mails the person a notice, at the address that `account` holds. */
  notify: Outbox['notify'];
  /** Mails a link with which a new password is chosen: nobody sees or sets one for others. False when that was too often. */
  sendResetLink(account: Account, by: AuditEvent['actor']): Promise<boolean>;
}
