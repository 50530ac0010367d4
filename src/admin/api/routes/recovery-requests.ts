import { z } from 'zod';
import type { Decided, RecoveryRequest } from '../../../recovery-desk/contract.js';
import { listOf, listReply, pageOf, pageQuery } from '../lists.js';
import { ApiProblem, notFound } from '../problem.js';
import { type Reply, type Route, route, type Subject } from '../route.js';
import { id, shown } from '../schemas/fields.js';
import {
  decisionInput,
  recoveryRequestSchema,
  requestState,
  showRequest,
  showSuspension,
  suspensionSchema,
} from '../schemas/recovery.js';
import type { ApiServices } from '../services.js';

const params = z.object({ requestId: id });

const decidedSchema = z
  .strictObject({ request: recoveryRequestSchema, suspension: suspensionSchema.optional() })
  .meta({ id: 'DecidedRecoveryRequest' });

/** Requests of employees who cannot confirm, and what becomes of them. */
export function recoveryRequestRoutes({ desk, directory, accounts, applicationName }: ApiServices): Route[] {
  const show = async (requests: readonly RecoveryRequest[]) => {
    const ids = requests.map(({ accountId }) => accountId);
    const [names, open] = await Promise.all([directory.names(ids), desk.openRequests(ids)]);
    return Promise.all(
      requests.map(async (request) => {
        const { clientId: id } = request;
        const application = id === undefined ? undefined : { id, name: await applicationName(id) };
        return showRequest(request, names, open, application);
      }),
    );
  };

  const subject = async (requestId: string): Promise<Subject<RecoveryRequest> | undefined> => {
    const request = await desk.findRequest(requestId);
    if (!request) return undefined;
    const [account, [representation]] = await Promise.all([accounts.find(request.accountId), show([request])]);
    return { value: request, representation, ...(account ? { account } : {}) };
  };

  return [
    route({
      id: 'listRecoveryRequests',
      method: 'GET',
      path: '/recovery-requests',
      tag: 'Recovery requests',
      summary: 'Requests, newest first',
      scope: 'recovery:read',
      scripts: true,
      query: z.strictObject({ ...pageQuery, state: requestState.optional(), accountId: id.optional() }),
      responses: { 200: { description: 'A page.', schema: listOf(recoveryRequestSchema, 'RecoveryRequests') } },
      async handle({ query: { state, accountId, ...page }, href }) {
        const filter = { ...(state ? { state } : {}), ...(accountId ? { accountId } : {}) };
        const found = await desk.listRequests(filter, pageOf(page));
        const items = await show(found.items);
        // A telephone number is read by whoever is about to decide, not by whoever looks at a list.
        return listReply({ ...found, items }, href, ({ contact: _contact, ...item }) => item);
      },
    }),
    route({
      id: 'getRecoveryRequest',
      method: 'GET',
      path: '/recovery-requests/{requestId}',
      tag: 'Recovery requests',
      summary: 'One request',
      scope: 'recovery:read',
      scripts: true,
      params,
      subject: ({ params: { requestId } }) => subject(requestId),
      responses: { 200: { description: 'The request.', schema: recoveryRequestSchema } },
      async handle({ subject: request }) {
        const [body] = await show([request]);
        return { status: 200, body };
      },
    }),
    route({
      id: 'decideRecoveryRequest',
      method: 'POST',
      path: '/recovery-requests/{requestId}/decision',
      tag: 'Recovery requests',
      summary: 'Approve or decline',
      description:
        'One decision per request: who comes second gets 409 and the `winner`. Approving needs the number that the employee reads out; a number of another open request of the same account is 422 with its id in `matches`.',
      scope: 'recovery:decide',
      fresh: true,
      notOnSelf: true,
      params,
      body: decisionInput,
      subject: ({ params: { requestId } }) => subject(requestId),
      responses: { 200: { description: 'Decided.', schema: decidedSchema } },
      problems: ['RECOVERY_REQUEST_DECIDED', 'RECOVERY_NUMBER_WRONG', 'SUSPENSION_RUNNING', 'API_SELF_FORBIDDEN'],
      async handle({ params: { requestId }, body, actor }) {
        const { requestNumber, hours, verifiedBy, reason, revokeFactorIds, otherBrowsers } = body;
        if (hours !== undefined && !desk.suspensionHours.includes(hours)) throw wrongLength(desk.suspensionHours);
        const decided = await desk.decide(
          requestId,
          {
            outcome: body.outcome,
            ...(requestNumber === undefined ? {} : { requestNumber }),
            ...(hours === undefined ? {} : { hours }),
            ...(verifiedBy === undefined ? {} : { verifiedBy }),
            ...(reason === undefined ? {} : { reason }),
            ...(revokeFactorIds === undefined ? {} : { revokeFactorIds }),
            ...(otherBrowsers === undefined ? {} : { otherBrowsers }),
          },
          actor,
        );
        return replyOf(decided);
      },
    }),
  ];

  async function replyOf(decided: Decided): Promise<Reply> {
    switch (decided.status) {
      case 'decided': {
        const [request] = await show([decided.request]);
        const names = await directory.names([decided.request.accountId]);
        const suspension = decided.suspension && showSuspension(decided.suspension, names);
        return { status: 200, body: { request, ...(suspension ? { suspension } : {}) } };
      }
      case 'not_found':
        throw notFound();
      case 'own_request':
        throw new ApiProblem('API_SELF_FORBIDDEN');
      case 'wrong_number':
        throw new ApiProblem('RECOVERY_NUMBER_WRONG', {
          members: decided.matches === undefined ? {} : { matches: decided.matches },
        });
      case 'suspension_running':
        throw suspensionRunning(decided.suspension);
      case 'conflict':
        throw alreadyDecided(decided.request);
    }
  }
}

/** Says who was faster, and how it went. */
function alreadyDecided({ state, changedAt, decision }: RecoveryRequest): ApiProblem {
  const winner = {
    outcome: state,
    at: shown(decision?.at ?? changedAt),
    ...(decision ? { decidedBy: decision.by } : {}),
  };
  return new ApiProblem('RECOVERY_REQUEST_DECIDED', { detail: `it is ${state}`, members: { winner } });
}

export const suspensionRunning = ({ id: suspensionId, until }: { id: string; until: Date }): ApiProblem =>
  new ApiProblem('SUSPENSION_RUNNING', {
    detail: 'it is never made longer: end it, or wait until it has ended',
    members: { suspension: { id: suspensionId, until: shown(until) } },
  });

export const wrongLength = (lengths: readonly number[]): ApiProblem =>
  new ApiProblem('API_INPUT_INVALID', {
    errors: [{ path: 'body.hours', message: `must be one of ${lengths.join(', ')}` }],
  });
