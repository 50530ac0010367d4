/** Who did what, when and from where: written once, never changed. */
export { createAudit, ensureIndexes } from './audit.js';
export {
  AUDIT_EVENTS,
  type Audit,
  type AuditEvent,
  type AuditEventType,
  type AuditFilter,
  type AuditLog,
  type RequestOrigin,
  type StoredAuditEvent,
} from './contract.js';
export { type AuditRetention, createAuditRetention } from './retention.js';
