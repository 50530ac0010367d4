import type { Audit, AuditEvent } from '../audit/contract.js';
import type { Notifier } from '../notifications/contract.js';
import type { Account } from './contract.js';
import type { OneTimeLinks } from './one-time-links.js';

/** An invitation is good for a day (decisions: first enrolment). */
const INVITATION_SECONDS = 86_400;

/** The link with which a new employee chooses a password; its browser may then set up the second step. */
export interface Invitations {
  /** Mails it. */
  send(account: Account, actor: AuditEvent['actor']): Promise<void>;
  /** Hands it over, for whoever can be reached in another way only. It takes the place of the one before. */
  makeLink(account: Pick<Account, 'id'>, actor: AuditEvent['actor']): Promise<string>;
}

export function createInvitations(deps: {
  issuer: string;
  links: OneTimeLinks;
  notifier: Notifier;
  audit: Audit;
}): Invitations {
  const make = async (accountId: string): Promise<string> =>
    `${deps.issuer}/invitation/${await deps.links.create('invitation', accountId, INVITATION_SECONDS)}`;
  const record = (accountId: string, actor: AuditEvent['actor']): Promise<void> =>
    deps.audit.record({ type: 'invitation_sent', accountId, actor });

  return {
    async send(account, actor) {
      const link = await make(account.id);
      await deps.notifier.notify(account, 'invitation', { link });
      await record(account.id, actor);
    },
    async makeLink({ id }, actor) {
      const link = await make(id);
      await record(id, actor);
      return link;
    },
  };
}
