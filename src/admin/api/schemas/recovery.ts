import { z } from 'zod';
import type { NamedAccount } from '../../../accounts/index.js';
import {
  CIRCUMSTANCES,
  OTHER_BROWSERS,
  REQUEST_STATES,
  type RecoveryRequest,
  SUSPENSION_ENDS,
  type Suspension,
  VERIFICATIONS,
} from '../../../recovery-desk/contract.js';
import { type ApplicationReference, applicationReference } from './application.js';
import { id, instant, role, shown, shownIf } from './fields.js';

export const requestState = z.enum(REQUEST_STATES).meta({ id: 'RecoveryRequestState' });
export const verification = z
  .enum(VERIFICATIONS)
  .meta({ id: 'Verification', description: 'How it was made sure who is asking.' });
export const otherBrowsers = z.enum(OTHER_BROWSERS).meta({
  id: 'OtherBrowsers',
  description: 'What further browsers need beside the password while the suspension runs.',
});

const whose = z
  .strictObject({ id, login: z.string(), name: z.string(), groups: z.array(z.string()), roles: z.array(role) })
  .meta({ id: 'AccountReference', description: 'Whose it is.' });

const decision = z.strictObject({
  outcome: z.enum(['approved', 'declined']),
  at: instant,
  by: id.meta({ description: 'Account of the administrator.' }),
  verifiedBy: verification.optional(),
  reason: z.string().optional(),
  hours: z.int().optional(),
  otherBrowsers: otherBrowsers.optional(),
  revokedFactorIds: z.array(id).optional(),
  suspensionId: id.optional(),
});

/** A request; its number is on the employee's page alone. */
export const recoveryRequestSchema = z
  .strictObject({
    id,
    account: whose,
    state: requestState,
    createdAt: instant,
    expiresAt: instant,
    changedAt: instant,
    circumstances: z.enum(CIRCUMSTANCES),
    contact: z.string().optional().meta({
      description: 'Typed by whoever sent it; proves nothing. In no list: only where this one request is read.',
    }),
    note: z.string().optional(),
    application: applicationReference.optional().meta({ description: 'What was being signed in to.' }),
    origin: z.strictObject({ ip: z.string().optional(), userAgent: z.string().optional() }),
    isKnownBrowser: z.boolean(),
    failedMethods: z.array(z.string()),
    openRequestsOfAccount: z.int().meta({ description: 'More than one: ask for the number with care.' }),
    decision: decision.optional(),
  })
  .meta({ id: 'RecoveryRequest' });

const GONE: NamedAccount = { login: '', name: '', groups: [], roles: [] };

export const showRequest = (
  request: RecoveryRequest,
  names: ReadonlyMap<string, NamedAccount>,
  open: ReadonlyMap<string, number>,
  application: ApplicationReference | undefined,
): z.output<typeof recoveryRequestSchema> => {
  const { accountId, decision: decided, createdAt, expiresAt, changedAt, origin } = request;
  return {
    id: request.id,
    account: { id: accountId, ...(names.get(accountId) ?? GONE) },
    state: request.state,
    createdAt: shown(createdAt),
    expiresAt: shown(expiresAt),
    changedAt: shown(changedAt),
    circumstances: request.circumstances,
    ...(request.contact === undefined ? {} : { contact: request.contact }),
    ...(request.note === undefined ? {} : { note: request.note }),
    ...(application === undefined ? {} : { application }),
    origin: {
      ...(origin.ip === undefined ? {} : { ip: origin.ip }),
      ...(origin.userAgent === undefined ? {} : { userAgent: origin.userAgent }),
    },
    isKnownBrowser: request.isKnownBrowser,
    failedMethods: [...request.failedMethods],
    openRequestsOfAccount: open.get(accountId) ?? 0,
    ...(decided ? { decision: { ...decided, at: shown(decided.at) } } : {}),
  };
};

const reason = z.string().min(1).max(300).meta({ description: 'Shown to the employee.' });
const factorIds = z.array(id).max(20);
/** Which lengths may be chosen is configured; the desk refuses others. */
const hours = z.int().min(1).max(168);

export const decisionInput = z
  .strictObject({
    outcome: z.enum(['approved', 'declined']),
    requestNumber: z
      .string()
      .min(1)
      .max(32)
      .optional()
      .meta({ description: 'As the employee reads it out; required to approve.', example: 'K7P 4QX' }),
    hours: hours.optional().meta({ description: 'Required to approve.' }),
    verifiedBy: verification.optional().meta({ description: 'Required to approve.' }),
    reason: reason.optional(),
    revokeFactorIds: factorIds.optional(),
    otherBrowsers: otherBrowsers.optional(),
  })
  .superRefine((input, context) => {
    if (input.outcome !== 'approved') return;
    for (const field of ['requestNumber', 'hours', 'verifiedBy'] as const)
      if (input[field] === undefined)
        context.addIssue({ code: 'custom', path: [field], message: 'is required to approve' });
  })
  .meta({ id: 'Decision' });

export const suspensionSchema = z
  .strictObject({
    id,
    account: whose,
    createdAt: instant,
    until: instant,
    hours: z.int(),
    startedBy: id.optional(),
    requestId: id.optional(),
    verifiedBy: verification.optional(),
    reason: z.string().optional(),
    otherBrowsers,
    isRunning: z.boolean(),
    endedAt: instant.optional(),
    end: z.enum(SUSPENSION_ENDS).optional(),
    endedBy: id.optional(),
    clearedBrowsers: z.int(),
    accessCodesIssued: z.int(),
  })
  .meta({ id: 'Suspension' });

export const showSuspension = (
  { accountId, createdAt, until, endedAt, ...rest }: Suspension,
  names: ReadonlyMap<string, NamedAccount>,
): z.output<typeof suspensionSchema> => ({
  id: rest.id,
  account: { id: accountId, ...(names.get(accountId) ?? GONE) },
  createdAt: shown(createdAt),
  until: shown(until),
  hours: rest.hours,
  ...(rest.startedBy === undefined ? {} : { startedBy: rest.startedBy }),
  ...(rest.requestId === undefined ? {} : { requestId: rest.requestId }),
  ...(rest.verifiedBy === undefined ? {} : { verifiedBy: rest.verifiedBy }),
  ...(rest.reason === undefined ? {} : { reason: rest.reason }),
  otherBrowsers: rest.otherBrowsers,
  isRunning: rest.isRunning,
  ...shownIf('endedAt', endedAt),
  ...(rest.end === undefined ? {} : { end: rest.end }),
  ...(rest.endedBy === undefined ? {} : { endedBy: rest.endedBy }),
  clearedBrowsers: rest.clearedBrowsers,
  accessCodesIssued: rest.accessCodesIssued,
});

export const newSuspension = z
  .strictObject({
    hours,
    verifiedBy: verification.optional(),
    reason: reason.optional(),
    otherBrowsers: otherBrowsers.optional(),
    revokeFactorIds: factorIds.optional(),
  })
  .meta({ id: 'NewSuspension' });
