/** What the composition root takes and gives. */
import type Koa from 'koa';
import type { Provider } from 'oidc-provider';
import type {
  AccountStore,
  Directory,
  DirectoryEntry,
  Importer,
  Invitations,
  OneTimeLinks,
  Passwords,
} from './accounts/index.js';
import type { ShownAccount } from './admin/api/index.js';
import type { Operations } from './admin/operations/index.js';
import type { Audit } from './audit/index.js';
import type { Secrets } from './config/index.js';
import type { Engine, SecretReader } from './factors/index.js';
import type { Answered, Web } from './http/index.js';
import type { Outbox, Transport } from './notifications/index.js';
import type { OidcStore } from './oidc/adapter/index.js';
import type { KeyRotation, SigningKeys } from './oidc/index.js';
import type { Clock } from './platform/clock.js';
import type { Database } from './platform/database.js';
import type { Grip } from './platform/lease.js';
import type { Logger } from './platform/logger.js';
import type { Random } from './platform/random.js';
import type { SecretBox } from './platform/secret-box.js';
import type { RecoveryDesk } from './recovery-desk/index.js';
import type { SecondFactorOptions } from './second-factor/index.js';
import type { Sessions } from './sessions/index.js';
import type { WebhookService } from './webhooks/index.js';

export interface AppDeps {
  database: Database;
  secrets: Secrets;
  signingKeys: SigningKeys;
  /** Of the configuration, with their secrets. */
  clients: readonly Record<string, unknown>[];
  logger: Logger;
  /** Carries mails outside. */
  transport: Transport;
  /** Secrets of the methods' services; without it nothing can be sent. */
  readSecret?: SecretReader;
  clock?: Clock;
  random?: Random;
  /** Hashes passwords; by default as many at once as the machine does well. */
  passwords?: Passwords;
  /** Hears of what happens, for metrics. */
  observer?: SecondFactorOptions['observer'] & { answered(answer: Answered): void };
  /** Hears of every database call of the provider's adapter. */
  onOidcCall?: (model: string, operation: string) => void;
}

export interface App {
  database: Database;
  koa: Koa;
  provider: Provider;
  web: Web;
  accounts: AccountStore;
  engine: Engine;
  sessions: Sessions;
  links: OneTimeLinks;
  audit: Audit;
  outbox: Outbox;
  oidc: OidcStore;
  secretBox: SecretBox;
  sendInvitation: Invitations['send'];
  directory: Directory;
  showAccount(entry: DirectoryEntry): ShownAccount;
  operations: Operations;
  /** Takes accounts over from the system of this name. */
  importer(source: string): Promise<Importer>;
  desk: RecoveryDesk;
  webhooks: WebhookService;
  keyRotation: KeyRotation;
  /** Completes accounts of an earlier version. */
  fillAccounts(grip: Grip): Promise<void>;
}
