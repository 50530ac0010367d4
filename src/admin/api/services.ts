import type { Account, AccountStore, Directory, Standings } from '../../accounts/index.js';
import type { Audit, AuditEvent, RequestOrigin } from '../../audit/contract.js';
import type { Engine } from '../../factors/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';
import type { AdministratorDesk } from '../../recovery-desk/contract.js';
import type { Sessions } from '../../sessions/index.js';

/** What the rows of the API work with. */
export interface ApiServices {
  /** `<issuer>/api/v1`. */
  base: string;
  clock: Clock;
  database: Database;
  accounts: AccountStore;
  directory: Directory;
  standings: Standings;
  engine: Engine;
  sessions: Sessions;
  audit: Audit;
  desk: AdministratorDesk;
  sendInvitation(account: Account, actor: AuditEvent['actor']): Promise<void>;
  /** Mails a link with which a new password is chosen; nobody sees or sets one for others. */
  sendResetLink(account: Account, by: { actor: AuditEvent['actor']; origin: RequestOrigin }): Promise<void>;
}
