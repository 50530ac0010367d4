import { z } from 'zod';
import type { AccessPass } from '../../../recovery-desk/contract.js';
import { listOf, listReply, pageOf, pageQuery } from '../lists.js';
import { ApiProblem, notFound } from '../problem.js';
import { type Route, route, type Subject } from '../route.js';
import { id, instant, shown, shownIf } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';
import { accountSubject } from './subjects.js';

const DAY_HOURS = 24;
const LONGEST_HOURS = 72;

const passFields = {
  id,
  accountId: id,
  createdAt: instant,
  expiresAt: instant,
  issuedBy: id.optional(),
  usedAt: instant.optional(),
  revokedAt: instant.optional(),
};
const passSchema = z.strictObject(passFields).meta({ id: 'AccessPass' });
const issuedSchema = z
  .strictObject({ ...passFields, pass: z.string().optional(), secretsWithheld: z.boolean().optional() })
  .meta({ id: 'IssuedAccessPass', description: '`pass` is shown once: not when the request is repeated.' });

const show = ({ createdAt, expiresAt, usedAt, revokedAt, ...pass }: AccessPass): z.output<typeof passSchema> => ({
  id: pass.id,
  accountId: pass.accountId,
  createdAt: shown(createdAt),
  expiresAt: shown(expiresAt),
  ...(pass.issuedBy === undefined ? {} : { issuedBy: pass.issuedBy }),
  ...shownIf('usedAt', usedAt),
  ...shownIf('revokedAt', revokedAt),
});

/** One-time secrets with which a new or locked-out employee may set up their login methods. */
export function accessPassRoutes(services: ApiServices): Route[] {
  const { desk, directory } = services;
  const one = async (call: {
    params: { accountId: string; passId: string };
  }): Promise<Subject<AccessPass> | undefined> => {
    const { accountId, passId } = call.params;
    const [entry, pass] = await Promise.all([directory.find(accountId), desk.findAccessPass(accountId, passId)]);
    return entry && pass && { value: pass, account: entry.account, representation: show(pass) };
  };
  const common = { tag: 'Access passes', scope: 'passes:issue' } as const;

  return [
    route({
      ...common,
      id: 'listAccessPasses',
      method: 'GET',
      path: '/accounts/{accountId}/access-passes',
      summary: 'Passes of an account, newest first',
      params: z.object({ accountId: id }),
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page.', schema: listOf(passSchema, 'AccessPasses') } },
      async handle({ params: { accountId }, query, href }) {
        if (!(await directory.find(accountId))) throw notFound();
        return listReply(await desk.listAccessPasses(accountId, pageOf(query)), href, show);
      },
    }),
    route({
      ...common,
      id: 'getAccessPass',
      method: 'GET',
      path: '/accounts/{accountId}/access-passes/{passId}',
      summary: 'One pass, without its secret',
      params: z.object({ accountId: id, passId: id }),
      subject: one,
      responses: { 200: { description: 'The pass.', schema: passSchema } },
      handle: async ({ subject: pass }) => ({ status: 200, body: show(pass) }),
    }),
    route({
      ...common,
      id: 'issueAccessPass',
      method: 'POST',
      path: '/accounts/{accountId}/access-passes',
      summary: 'Issue a pass; it takes the place of the one before',
      description: 'Scripts may do this where their registration names the scope: for onboarding.',
      fresh: true,
      scripts: true,
      notOnSelf: true,
      params: z.object({ accountId: id }),
      body: z
        .strictObject({
          hours: z
            .int()
            .min(1)
            .max(LONGEST_HOURS)
            .optional()
            .meta({ description: `${DAY_HOURS} unless said otherwise.` }),
        })
        .meta({ id: 'NewAccessPass' }),
      subject: accountSubject(services),
      secrets: ['pass'],
      responses: { 201: { description: 'The pass: shown only now.', schema: issuedSchema } },
      problems: ['ACCOUNT_INACTIVE'],
      async handle({ subject: { account }, body: { hours = DAY_HOURS }, actor }) {
        if (!account.active) throw new ApiProblem('ACCOUNT_INACTIVE');
        const { pass, accessPass } = await desk.issueAccessPass(account, hours * 3_600, actor);
        const Location = `${services.base}/accounts/${account.id}/access-passes/${accessPass.id}`;
        return { status: 201, body: { ...show(accessPass), pass }, headers: { Location } };
      },
    }),
    route({
      ...common,
      id: 'revokeAccessPass',
      method: 'DELETE',
      path: '/accounts/{accountId}/access-passes/{passId}',
      summary: 'Revoke a pass that was not used',
      fresh: true,
      notOnSelf: true,
      params: z.object({ accountId: id, passId: id }),
      subject: one,
      responses: { 204: { description: 'Revoked.' } },
      async handle({ params: { accountId, passId }, actor }) {
        if (!(await desk.revokeAccessPass(accountId, passId, actor))) throw notFound('it is used, revoked or expired');
        return { status: 204 };
      },
    }),
  ];
}
