import { z } from 'zod';
import { changedMeanwhile } from '../etag.js';
import { type Route, route } from '../route.js';
import { accountSchema, showAccount } from '../schemas/account.js';
import { id, role } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';
import { accountSubject } from './subjects.js';

const params = z.object({ accountId: id, role });

/** What an administrator may be; only owners say so, and never of themselves. */
export function roleRoutes(services: ApiServices): Route[] {
  const { directory, operations } = services;
  const subject = accountSubject(services);
  const show = showAccount(services.standings);
  const now = async (accountId: string) => {
    const entry = await directory.find(accountId);
    if (!entry) throw changedMeanwhile();
    return { status: 200, body: show(entry) };
  };

  return [
    route({
      id: 'grantRole',
      method: 'PUT',
      path: '/accounts/{accountId}/roles/{role}',
      tag: 'Roles',
      summary: 'Give an account a role',
      scope: 'roles:write',
      fresh: true,
      notOnSelf: true,
      params,
      subject,
      responses: { 200: { description: 'The account as it is now.', schema: accountSchema } },
      async handle({ subject: { account }, params: { role: granted }, actor }) {
        await operations.accounts.grantRole(account.id, granted, actor);
        return now(account.id);
      },
    }),
    route({
      id: 'revokeRole',
      method: 'DELETE',
      path: '/accounts/{accountId}/roles/{role}',
      tag: 'Roles',
      summary: 'Take a role from an account',
      scope: 'roles:write',
      fresh: true,
      notOnSelf: true,
      params,
      subject,
      responses: { 200: { description: 'The account as it is now.', schema: accountSchema } },
      problems: ['LAST_OWNER'],
      async handle({ subject: { account }, params: { role: revoked }, actor }) {
        await operations.accounts.revokeRole(account.id, revoked, actor);
        return now(account.id);
      },
    }),
  ];
}
