/** Tells people on another channel what happened to their account: an outbox with retry, and the transports that carry its mails. */
export { ANNOUNCEMENTS, type Announcement, type AnnouncementType, type Announcer, factsOf } from './announcements.js';
export { type AnnouncingDeps, createAnnouncing } from './announcing.js';
export type { Notice, Notifier } from './contract.js';
export { hasNotMe, NOTICES, TO_ADMINISTRATORS } from './contract.js';
export type { Mail, RenderMail, Transport } from './mail.js';
export {
  createOutbox,
  type DeadLetter,
  type Delivery,
  type DeliveryAttempt,
  type Outbox,
  type OutboxDeps,
  type Posting,
} from './outbox.js';
export { ensureIndexes, SEALED } from './outbox-store.js';
export { DEFAULT_RETRY, type RetrySchedule } from './retry.js';
export { type SmtpSettings, smtpTransport } from './smtp-transport.js';
export {
  ensureStoredMailIndexes,
  findStoredMail,
  listStoredMails,
  type StoredMail,
  storedTransport,
} from './stored-transport.js';
