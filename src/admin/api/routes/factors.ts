import { z } from 'zod';
import type { Account } from '../../../accounts/index.js';
import type { AccountMethod } from '../../../factors/index.js';
import { notFound } from '../problem.js';
import { type Route, route, type Subject } from '../route.js';
import { id, instant, level, shown, shownIf } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';

const factorSchema = z
  .strictObject({
    id,
    method: z.string(),
    kind: z.enum(['primary', 'fallback', 'reserve']),
    label: z.string(),
    level,
    createdAt: instant,
    lastUsedAt: instant.optional(),
    usableFrom: instant.optional().meta({ description: 'Present while it is too new to sign in with: from then on.' }),
    facts: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .meta({ description: 'E.g. how many codes are left.' }),
  })
  .meta({ id: 'Factor', description: 'Something that is set up. Masked: no secret, no whole phone number.' });

const factorsSchema = z.strictObject({ items: z.array(factorSchema) }).meta({ id: 'Factors' });

const show = (methods: readonly AccountMethod[]): z.output<typeof factorSchema>[] =>
  methods.flatMap(({ id: method, kind, factors }) =>
    factors.map((factor) => ({
      id: factor.id,
      method,
      kind,
      label: factor.label,
      level: factor.level,
      createdAt: shown(factor.createdAt),
      ...shownIf('lastUsedAt', factor.lastUsedAt),
      ...shownIf('usableFrom', factor.usableFrom),
      facts: factor.facts,
    })),
  );

interface Found {
  account: Account;
  factors: z.output<typeof factorSchema>[];
}

/** What an account has set up. There is no way to see or make recovery codes of somebody else. */
export function factorRoutes({ directory, engine, desk, operations }: ApiServices): Route[] {
  const all = async ({ params }: { params: { accountId: string } }): Promise<Subject<Found> | undefined> => {
    const entry = await directory.find(params.accountId);
    if (!entry) return undefined;
    const { account } = entry;
    const factors = show(await engine.forAccount(account.id));
    return { value: { account, factors }, account, representation: { items: factors } };
  };
  const one = async (call: {
    params: { accountId: string; factorId: string };
  }): Promise<Subject<Found> | undefined> => {
    const found = await all(call);
    const factor = found?.value.factors.find((known) => known.id === call.params.factorId);
    return found && factor && { ...found, value: { ...found.value, factors: [factor] }, representation: factor };
  };
  const common = { tag: 'Login methods', scripts: true, scope: 'factors:read' } as const;
  const revoking = { tag: 'Login methods', fresh: true, notOnSelf: true, scope: 'factors:revoke' } as const;

  return [
    route({
      ...common,
      id: 'listFactors',
      method: 'GET',
      path: '/accounts/{accountId}/factors',
      summary: 'What an account has set up',
      params: z.object({ accountId: id }),
      subject: all,
      responses: { 200: { description: 'All of it.', schema: factorsSchema } },
      handle: async ({ subject: { factors } }) => ({ status: 200, body: { items: factors } }),
    }),
    route({
      ...common,
      id: 'getFactor',
      method: 'GET',
      path: '/accounts/{accountId}/factors/{factorId}',
      summary: 'One of them',
      params: z.object({ accountId: id, factorId: id }),
      subject: one,
      responses: { 200: { description: 'It.', schema: factorSchema } },
      handle: async ({ subject: { factors } }) => ({ status: 200, body: factors[0] }),
    }),
    route({
      ...revoking,
      id: 'revokeFactor',
      method: 'DELETE',
      path: '/accounts/{accountId}/factors/{factorId}',
      summary: 'Revoke one of them',
      params: z.object({ accountId: id, factorId: id }),
      subject: one,
      responses: { 204: { description: 'Revoked; the employee is told.' } },
      async handle({ subject: { account }, params: { factorId }, actor }) {
        if ((await desk.revokeFactors(account.id, [factorId], actor)).length === 0) throw notFound();
        return { status: 204 };
      },
    }),
    route({
      ...revoking,
      id: 'revokeFactors',
      method: 'DELETE',
      path: '/accounts/{accountId}/factors',
      summary: 'Revoke all of them',
      params: z.object({ accountId: id }),
      subject: all,
      responses: { 204: { description: 'Revoked; the employee is told.' } },
      async handle({ subject: { account }, actor }) {
        await operations.accounts.resetFactors(account.id, actor);
        return { status: 204 };
      },
    }),
  ];
}
