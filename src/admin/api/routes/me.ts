import { z } from 'zod';
import { freshnessLeft } from '../rights-check.js';
import { type Route, route } from '../route.js';
import { id, instant, level, role, scope, shown } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';

const me = z
  .strictObject({
    kind: z.enum(['account', 'client']),
    clientId: z.string(),
    account: z.strictObject({ id, login: z.string(), name: z.string() }).optional(),
    roles: z.array(role),
    scopes: z
      .array(scope)
      .meta({ description: 'What this token may do now: its scopes, cut down to those of the roles.' }),
    level: level.optional(),
    authenticatedAt: instant.optional(),
    freshSeconds: z.int().meta({ description: 'For how long operations that need a fresh sign-in are still allowed.' }),
  })
  .meta({ id: 'Me' });

export const meRoutes = ({ clock }: ApiServices): Route[] => [
  route({
    id: 'getMe',
    method: 'GET',
    path: '/me',
    tag: 'Me',
    summary: 'Who calls, and what they may do',
    scripts: true,
    responses: { 200: { description: 'The caller.', schema: me } },
    async handle({ caller }) {
      const common = { clientId: caller.clientId, scopes: [...caller.scopes] };
      if (caller.kind === 'client')
        return { status: 200, body: { kind: 'client', ...common, roles: [], freshSeconds: 0 } };
      const { account, roles, authenticatedAt } = caller;
      return {
        status: 200,
        body: {
          kind: 'account',
          ...common,
          account: { id: account.id, login: account.login, name: account.name },
          roles: [...roles],
          ...(caller.level ? { level: caller.level } : {}),
          authenticatedAt: shown(authenticatedAt),
          freshSeconds: freshnessLeft(caller, clock.now()),
        },
      };
    },
  }),
];
