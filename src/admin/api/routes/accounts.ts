import { z } from 'zod';
import type { Account, AccountRefusal } from '../../../accounts/index.js';
import { actorOf, reachable } from '../../operations/index.js';
import { changedMeanwhile } from '../etag.js';
import { listOf, listReply, pageOf, pageQuery, queryFlag } from '../lists.js';
import { ApiProblem } from '../problem.js';
import { type Route, route } from '../route.js';
import { accountChanges, accountSchema, newAccount, showAccount } from '../schemas/account.js';
import { id, level, queryInstant } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';
import { accountSubject } from './subjects.js';

const params = z.object({ accountId: id });

const REFUSALS: Readonly<Record<AccountRefusal, { path: string; message: string }>> = {
  login_unusable: { path: 'body.login', message: 'must have no spaces and no control characters' },
  name_missing: { path: 'body.name', message: 'must not be empty' },
  email_malformed: { path: 'body.email', message: 'must be an address' },
};

/** Whether the person signs in, or is reached, in another way than before. */
const isMoved = (before: Account, after: Account): boolean =>
  before.login !== after.login || before.email !== after.email;

/** Accounts: who there is, joins, changes and leaves. */
export function accountRoutes(services: ApiServices): Route[] {
  const { directory, database, notify, operations, tell } = services;
  const show = showAccount(services.standings);
  const subject = accountSubject(services);

  const checkLocale = (locale: string | null | undefined): void => {
    if (typeof locale !== 'string' || services.locales.includes(locale)) return;
    const message = `must be one of ${services.locales.join(', ')}`;
    throw new ApiProblem('API_INPUT_INVALID', { errors: [{ path: 'body.locale', message }] });
  };
  const refused = (reason: AccountRefusal): ApiProblem =>
    new ApiProblem('API_INPUT_INVALID', { errors: [REFUSALS[reason]] });
  const now = async (accountId: string) => {
    const entry = await directory.find(accountId);
    if (!entry) throw changedMeanwhile();
    return show(entry);
  };

  return [
    route({
      id: 'listAccounts',
      method: 'GET',
      path: '/accounts',
      tag: 'Accounts',
      summary: 'Accounts, newest first',
      scope: 'accounts:read',
      scripts: true,
      query: z.strictObject({
        ...pageQuery,
        q: z
          .string()
          .min(1)
          .max(128)
          .optional()
          .meta({ description: 'Words; each must begin the login, the address or a word of the name.' }),
        group: z.string().min(1).max(128).optional(),
        state: z.enum(['active', 'deactivated']).optional(),
        covered: queryFlag.optional(),
        level: level.optional(),
        updated_since: queryInstant.optional(),
      }),
      responses: { 200: { description: 'A page.', schema: listOf(accountSchema, 'Accounts') } },
      async handle({
        query: { q, group, state, covered, level: reached, updated_since: updatedSince, ...page },
        href,
      }) {
        const filter = {
          q,
          group,
          covered,
          level: reached,
          updatedSince,
          active: state === undefined ? undefined : state === 'active',
        };
        return listReply(await directory.list(filter, pageOf(page)), href, show);
      },
    }),
    route({
      id: 'createAccount',
      method: 'POST',
      path: '/accounts',
      tag: 'Accounts',
      summary: 'Make an account',
      description: 'Without a password: the employee chooses one by the invitation.',
      scope: 'accounts:write',
      scripts: true,
      body: newAccount,
      responses: { 201: { description: 'Made.', schema: accountSchema } },
      problems: ['LOGIN_TAKEN', 'ACCOUNT_WITHOUT_ADDRESS'],
      async handle({ body: { invite, login, name, email, groups, locale }, actor }) {
        checkLocale(locale);
        const wanted = {
          login,
          name,
          ...(email === undefined ? {} : { email }),
          ...(groups === undefined ? {} : { groups }),
          ...(locale === undefined ? {} : { locale }),
        };
        const created = await operations.accounts.create(wanted, actor, { invite: invite === true });
        if (!created.ok)
          throw created.reason === 'login_taken' ? new ApiProblem('LOGIN_TAKEN') : refused(created.reason);
        const { id: accountId } = created.account;
        const Location = `${services.base}/accounts/${accountId}`;
        return { status: 201, body: await now(accountId), headers: { Location } };
      },
    }),
    route({
      id: 'getAccount',
      method: 'GET',
      path: '/accounts/{accountId}',
      tag: 'Accounts',
      summary: 'One account',
      scope: 'accounts:read',
      scripts: true,
      params,
      subject,
      responses: { 200: { description: 'The account.', schema: accountSchema } },
      handle: async ({ subject: entry }) => ({ status: 200, body: show(entry) }),
    }),
    route({
      id: 'changeAccount',
      method: 'PATCH',
      path: '/accounts/{accountId}',
      tag: 'Accounts',
      summary: 'Change an account (merge patch)',
      scope: 'accounts:write',
      scripts: true,
      params,
      body: accountChanges,
      subject,
      responses: { 200: { description: 'As it is now.', schema: accountSchema } },
      problems: ['LOGIN_TAKEN'],
      async handle({ subject: { account, version }, body, actor }) {
        checkLocale(body.locale);
        const changed = await database.transaction(async (unit) => {
          const outcome = await directory.change(account.id, version, body, unit);
          if (outcome.status === 'changed') {
            const facts = { fields: Object.keys(body) };
            const about = { accountId: account.id, by: actor, facts };
            await tell({ type: 'user_updated', announcedAs: 'account_updated', ...about }, unit);
            // To where the person was reached before: whoever moves the address must not be the only one to know.
            if (isMoved(account, outcome.entry.account)) await notify(account, 'account_changed', {}, { unit });
          }
          return outcome;
        });
        if (changed.status === 'stale') throw changedMeanwhile();
        if (changed.status === 'refused') throw refused(changed.reason);
        return { status: 200, body: show(changed.entry) };
      },
    }),
    route({
      id: 'deleteAccount',
      method: 'DELETE',
      path: '/accounts/{accountId}',
      tag: 'Accounts',
      summary: 'Delete an account',
      description:
        'Everything about the person is taken out of it: login, name, address, password, login methods, sessions. An empty shell stays, so that what the audit says about its id stays true.',
      scope: 'accounts:write',
      fresh: true,
      notOnSelf: true,
      params,
      subject,
      responses: { 204: { description: 'Deleted.' } },
      problems: ['LAST_OWNER'],
      async handle({ subject: { account, version }, actor }) {
        if (!(await operations.accounts.remove(account.id, version, actor))) throw changedMeanwhile();
        return { status: 204 };
      },
    }),
    route({
      id: 'deactivateAccount',
      method: 'POST',
      path: '/accounts/{accountId}/deactivate',
      tag: 'Accounts',
      summary: 'Deactivate an account: out at once, everywhere',
      scope: 'accounts:write',
      scripts: true,
      notOnSelf: true,
      params,
      subject,
      responses: { 200: { description: 'Deactivated, or was so already.', schema: accountSchema } },
      problems: ['LAST_OWNER'],
      async handle({ subject: { account }, actor }) {
        await operations.accounts.deactivate(account.id, actor);
        return { status: 200, body: await now(account.id) };
      },
    }),
    route({
      id: 'reactivateAccount',
      method: 'POST',
      path: '/accounts/{accountId}/reactivate',
      tag: 'Accounts',
      summary: 'Let a deactivated account sign in again',
      scope: 'accounts:write',
      scripts: true,
      notOnSelf: true,
      params,
      subject,
      responses: { 200: { description: 'Active, or was so already.', schema: accountSchema } },
      async handle({ subject: { account }, actor }) {
        await operations.accounts.reactivate(account.id, actor);
        return { status: 200, body: await now(account.id) };
      },
    }),
    route({
      id: 'sendPasswordReset',
      method: 'POST',
      path: '/accounts/{accountId}/password-reset',
      tag: 'Accounts',
      summary: 'Mail the link with which a new password is chosen',
      description: 'Nobody sets a password for others. Three mails an hour at most.',
      scope: 'accounts:write',
      fresh: true,
      params,
      subject,
      responses: { 202: { description: 'The mail is on its way.' } },
      problems: ['ACCOUNT_WITHOUT_ADDRESS', 'ACCOUNT_INACTIVE'],
      async handle({ subject: entry, actor }) {
        const isSent = await services.sendResetLink(reachable(entry.account), actorOf(actor));
        if (!isSent) throw new ApiProblem('API_THROTTLED', { retryAfterSeconds: 3_600 });
        return { status: 202 };
      },
    }),
    route({
      id: 'sendInvitation',
      method: 'POST',
      path: '/accounts/{accountId}/invitations',
      tag: 'Accounts',
      summary: 'Mail an invitation; it takes the place of the one before',
      scope: 'accounts:write',
      scripts: true,
      params,
      subject,
      responses: { 202: { description: 'The mail is on its way.' } },
      problems: ['ACCOUNT_WITHOUT_ADDRESS', 'ACCOUNT_INACTIVE'],
      async handle({ subject: entry, actor }) {
        await operations.accounts.invite(entry.account, actor);
        return { status: 202 };
      },
    }),
  ];
}
