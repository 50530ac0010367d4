import type { Audit, AuditEvent } from '../audit/contract.js';
import type { Notifier } from '../notifications/contract.js';
import type { Account } from './contract.js';
import type { OneTimeLinks } from './one-time-links.js';

/** An invitation is good for a day (decisions: first enrolment). */
const INVITATION_SECONDS = 86_400;

/** Mails a new employee the link with which a password is chosen; its browser may then set up the second step. */
export const createInvitations =
  (deps: { issuer: string; links: OneTimeLinks; notifier: Notifier; audit: Audit }) =>
  async (account: Account, actor: AuditEvent['actor']): Promise<void> => {
    const token = await deps.links.create('invitation', account.id, INVITATION_SECONDS);
    await deps.notifier.notify(account, 'invitation', { link: `${deps.issuer}/invitation/${token}` });
    await deps.audit.record({ type: 'invitation_sent', accountId: account.id, actor });
  };
