import type { Account, AccountStore, Directory, Standings } from '../../accounts/index.js';
import type { AuditEvent, AuditLog } from '../../audit/contract.js';
import type { Engine } from '../../factors/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';
import type { AdministratorDesk } from '../../recovery-desk/contract.js';
import type { Sessions } from '../../sessions/index.js';
import type { Webhooks } from '../../webhooks/index.js';
import type { Tell } from './telling.js';

/** What an account has let one application do. */
export interface StoredGrant {
  id: string;
  clientId: string;
  scopes: string[];
  createdAt: Date;
  expiresAt: Date;
}

/** What the rows of the API work with. */
export interface ApiServices {
  /** Of the languages that mails can be written in. */
  locales: readonly string[];
  clock: Clock;
  database: Database;
  accounts: AccountStore;
  directory: Directory;
  standings: Standings;
  engine: Engine;
  sessions: Sessions;
  audit: AuditLog;
  desk: AdministratorDesk;
  tell: Tell;
  grants: { list(accountId: string): Promise<StoredGrant[]>; revoke(grantId: string): Promise<void> };
  webhooks: Webhooks;
  sendInvitation(account: Account, actor: AuditEvent['actor']): Promise<void>;
  /** Mails a link with which a new password is chosen: nobody sees or sets one for others. False when that was too often. */
  sendResetLink(account: Account, by: AuditEvent['actor']): Promise<boolean>;
}
