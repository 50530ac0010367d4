import type { AuditEvent } from '../audit/contract.js';

/** Key pairs of the method's own, as operators see and change them. */
export interface MethodKeys {
  list(): Promise<{ algorithm: string; kid: string; state: 'current' | 'previous'; since: Date }[]>;
  /**
   * A new pair takes the place of the current one. Undefined when somebody else was faster.
   * @param isEmergency the former ones are of no use any more, to anybody
   */
  rotate(actor: AuditEvent['actor'], isEmergency: boolean): Promise<{ kid: string; previousKid: string } | undefined>;
}
