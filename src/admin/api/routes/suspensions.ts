import { z } from 'zod';
import type { Suspension } from '../../../recovery-desk/contract.js';
import { listOf, listReply, pageOf, pageQuery, queryFlag } from '../lists.js';
import { ApiProblem, notFound } from '../problem.js';
import { type Route, route, type Subject } from '../route.js';
import { id, shownIf } from '../schemas/fields.js';
import { newSuspension, showSuspension, suspensionSchema } from '../schemas/recovery.js';
import type { ApiServices } from '../services.js';
import { suspensionRunning, wrongLength } from './recovery-requests.js';
import { accountSubject } from './subjects.js';

const params = z.object({ suspensionId: id });

/** Without `code` when the request is repeated: it is shown once. */
const accessCode = z
  .strictObject({ code: z.string().optional(), secretsWithheld: z.boolean().optional() })
  .meta({ id: 'AccessCode' });

/** The second factor of one account, lifted for one or two days. */
export function suspensionRoutes(services: ApiServices): Route[] {
  const { desk, directory, accounts } = services;

  const show = async (suspension: Suspension) =>
    showSuspension(suspension, await directory.names([suspension.accountId]));

  const subject = async (suspensionId: string): Promise<Subject<Suspension> | undefined> => {
    const suspension = await desk.findSuspension(suspensionId);
    if (!suspension) return undefined;
    const [account, representation] = await Promise.all([accounts.find(suspension.accountId), show(suspension)]);
    return { value: suspension, representation, ...(account ? { account } : {}) };
  };

  const ended = (suspension: Suspension | undefined): ApiProblem =>
    new ApiProblem('SUSPENSION_ENDED', {
      members: suspension
        ? {
            winner: {
              ...(suspension.end === undefined ? {} : { outcome: suspension.end }),
              ...(suspension.endedBy === undefined ? {} : { decidedBy: suspension.endedBy }),
              ...shownIf('at', suspension.endedAt),
            },
          }
        : {},
    });

  return [
    route({
      id: 'listSuspensions',
      method: 'GET',
      path: '/suspensions',
      tag: 'Suspensions',
      summary: 'Suspensions, newest first',
      scope: 'suspensions:read',
      scripts: true,
      query: z.strictObject({ ...pageQuery, running: queryFlag.optional(), accountId: id.optional() }),
      responses: { 200: { description: 'A page.', schema: listOf(suspensionSchema, 'Suspensions') } },
      async handle({ query: { running, accountId, ...page }, href }) {
        const filter = {
          ...(running === undefined ? {} : { isRunning: running }),
          ...(accountId ? { accountId } : {}),
        };
        const found = await desk.listSuspensions(filter, pageOf(page));
        const names = await directory.names(found.items.map((item) => item.accountId));
        return listReply(found, href, (item) => showSuspension(item, names));
      },
    }),
    route({
      id: 'getSuspension',
      method: 'GET',
      path: '/suspensions/{suspensionId}',
      tag: 'Suspensions',
      summary: 'One suspension',
      scope: 'suspensions:read',
      scripts: true,
      params,
      subject: ({ params: { suspensionId } }) => subject(suspensionId),
      responses: { 200: { description: 'The suspension.', schema: suspensionSchema } },
      handle: async ({ subject: suspension }) => ({ status: 200, body: await show(suspension) }),
    }),
    route({
      id: 'startSuspension',
      method: 'POST',
      path: '/accounts/{accountId}/suspensions',
      tag: 'Suspensions',
      summary: 'Lift the second factor for one or two days',
      description: 'Without any request. One may run at a time, and none is made longer: each is a new decision.',
      scope: 'suspensions:write',
      fresh: true,
      notOnSelf: true,
      params: z.object({ accountId: id }),
      body: newSuspension,
      subject: accountSubject(services),
      responses: { 201: { description: 'Started.', schema: suspensionSchema } },
      problems: ['SUSPENSION_RUNNING', 'ACCOUNT_INACTIVE'],
      async handle({ subject: { account }, body, actor }) {
        if (!account.active) throw new ApiProblem('ACCOUNT_INACTIVE');
        if (!desk.suspensionHours.includes(body.hours)) throw wrongLength(desk.suspensionHours);
        const { hours, verifiedBy, reason, otherBrowsers, revokeFactorIds } = body;
        const started = await desk.start(
          account,
          {
            hours,
            ...(verifiedBy === undefined ? {} : { verifiedBy }),
            ...(reason === undefined ? {} : { reason }),
            ...(otherBrowsers === undefined ? {} : { otherBrowsers }),
            ...(revokeFactorIds === undefined ? {} : { revokeFactorIds }),
          },
          actor,
        );
        if (started.status === 'running') throw suspensionRunning(started.suspension);
        const Location = `${services.base}/suspensions/${started.suspension.id}`;
        return { status: 201, body: await show(started.suspension), headers: { Location } };
      },
    }),
    route({
      id: 'endSuspension',
      method: 'POST',
      path: '/suspensions/{suspensionId}/end',
      tag: 'Suspensions',
      summary: 'End it now',
      scope: 'suspensions:write',
      fresh: true,
      notOnSelf: true,
      params,
      body: z.strictObject({ reason: z.string().min(1).max(300).optional() }).meta({ id: 'SuspensionEnding' }),
      subject: ({ params: { suspensionId } }) => subject(suspensionId),
      responses: { 200: { description: 'Ended.', schema: suspensionSchema } },
      problems: ['SUSPENSION_ENDED'],
      async handle({ params: { suspensionId }, body: { reason }, actor }) {
        const outcome = await desk.end(suspensionId, actor, reason);
        if (outcome.status === 'not_found') throw notFound();
        if (outcome.status === 'conflict') throw ended(outcome.suspension);
        return { status: 200, body: await show(outcome.suspension) };
      },
    }),
    route({
      id: 'issueAccessCode',
      method: 'POST',
      path: '/suspensions/{suspensionId}/access-codes',
      tag: 'Suspensions',
      summary: 'Make a code that lets one more browser in',
      description: 'It is shown once, works once, and ends with the suspension.',
      scope: 'suspensions:write',
      fresh: true,
      notOnSelf: true,
      params,
      subject: ({ params: { suspensionId } }) => subject(suspensionId),
      secrets: ['code'],
      responses: { 201: { description: 'The code.', schema: accessCode } },
      problems: ['SUSPENSION_ENDED'],
      async handle({ params: { suspensionId }, subject: suspension, actor }) {
        const issued = await desk.issueAccessCode(suspensionId, actor);
        if (issued.status === 'not_found') throw notFound();
        if (issued.status === 'ended') throw ended(suspension.isRunning ? undefined : suspension);
        return { status: 201, body: { code: issued.code } };
      },
    }),
  ];
}
