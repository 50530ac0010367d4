import type { Context } from 'koa';
import type { FormFields, FormValues } from '../../http/index.js';
import { OTHER_BROWSERS, VERIFICATIONS } from '../../recovery-desk/contract.js';
import type { Administrator } from './administrators.js';
import type { ApiAccount } from './api.js';
import { type Answer, problem } from './api-call.js';
import { type Console, type Filled, formPage, type Locals, leadTo, type Params, show } from './desk.js';
import { ROLES } from './profile-page.js';
import { word } from './queue-page.js';
import { DECISION_FIELDS, suspensionOf, TICK_FIELDS, ticks } from './request-page.js';

const personPath = (id: string): string => `/console/people/${encodeURIComponent(id)}`;

interface Action<Fields extends FormFields, Done> {
  /** Names the action: its path, its sentences. */
  id: string;
  /** Between the person's path and `id`, where it is about one thing of theirs. */
  within?: string;
  fields?: Fields;
  isDangerous?: boolean;
  /** What the form shows beyond its words. */
  locals?(
    ctx: Context,
    administrator: Administrator,
    account: ApiAccount,
    filled: Filled<Fields>,
    params: Params,
  ): Promise<Answer<Locals>>;
  send(
    administrator: Administrator,
    accountId: string,
    key: string,
    form: FormValues<Fields>,
    params: Params,
  ): Promise<Answer<Done>>;
  /** What is shown once, in place of the profile. */
  secret?(done: Done): { value: string | undefined; expiresAt?: Date };
  tab?: string;
}

/** What administrators do about one account: each a page that says what follows from it, with one button. */
export function mountAccountActions(desk: Console, settings: { suspensionHours: readonly number[] }): void {
  const action = <const Fields extends FormFields, Done>(one: Action<Fields, Done>): void => {
    const { id: name, within = '', tab } = one;
    const fields = (one.fields ?? {}) as Fields;
    const backTo = (id: string, query = ''): string =>
      `${personPath(id)}${tab || query ? `?${new URLSearchParams({ ...(tab ? { tab } : {}), ...(query ? { done: query } : {}) })}` : ''}`;
    formPage<Fields, Done>(desk, {
      path: `/console/people/:id${within}/${name}`,
      section: 'people',
      fields,
      async show(ctx, administrator, params, filled) {
        const found = await administrator.api.account(params.id ?? '');
        if (!found.ok) return found.refusal;
        const account = found.data;
        const more = await one.locals?.(ctx, administrator, account, filled, params);
        if (more && !more.ok) return more.refusal;
        show(desk, ctx, administrator, 'people', 'action', {
          ...filled,
          id: name.replaceAll('-', '_'),
          name: account.name,
          isDangerous: one.isDangerous ?? false,
          fields: Object.keys(fields).filter((field) => !field.startsWith('revoke') || field === 'revoke1'),
          backHref: desk.url(backTo(account.id)),
          ...more?.data,
        });
        return undefined;
      },
      send: (administrator, form, params, key) => one.send(administrator, params.id ?? '', key, form, params),
      async done(ctx, administrator, done, { id = '' }) {
        if (!one.secret) return leadTo(desk, ctx, backTo(id, name));
        const found = await administrator.api.account(id);
        show(desk, ctx, administrator, 'people', 'secret', {
          id: name.replaceAll('-', '_'),
          name: found.ok ? found.data.name : '',
          ...one.secret(done),
          againHref: ctx.path,
          backHref: desk.url(backTo(id)),
        });
      },
    });
  };

  action({
    id: 'suspend',
    fields: { ...DECISION_FIELDS, ...TICK_FIELDS },
    async locals(ctx, administrator, account, { values, isFilled }) {
      const factors = await administrator.api.factors(account.id);
      const hours = values.hours || word(ctx.query.hours) || String(settings.suspensionHours[0] ?? 24);
      return {
        ok: true,
        data: {
          values: { ...values, hours, otherBrowsers: values.otherBrowsers || OTHER_BROWSERS[0] },
          hourChoices: settings.suspensionHours,
          verifications: VERIFICATIONS,
          ticks: ticks(factors.ok ? factors.data.items : [], values, isFilled, false),
        },
      };
    },
    async send(administrator, id, key, form) {
      const suspension = suspensionOf(form);
      return suspension.verifiedBy ? administrator.api.suspend(id, key, suspension) : problem(422, 'check_missing');
    },
  });

  /** The suspension that runs now is what both of these are about. */
  const running = async <T>(administrator: Administrator, id: string, then: (id: string) => Promise<Answer<T>>) => {
    const account = await administrator.api.account(id);
    if (!account.ok) return account;
    const { suspension } = account.data;
    return suspension ? then(suspension.id) : problem(409, 'no_suspension');
  };
  action({
    id: 'end-suspension',
    fields: { reason: 300 },
    send: (administrator, id, key, { reason }) =>
      running(administrator, id, (suspension) => administrator.api.endSuspension(suspension, key, reason)),
  });
  action({
    id: 'access-code',
    send: (administrator, id, key) =>
      running(administrator, id, (suspension) => administrator.api.issueAccessCode(suspension, key)),
    secret: ({ code }) => ({ value: code }),
  });

  action({
    id: 'access-pass',
    send: ({ api }, id, key) => api.issuePass(id, key),
    secret: ({ pass, expiresAt }) => ({ value: pass, expiresAt }),
  });
  action({
    id: 'withdraw',
    within: '/passes/:passId',
    tab: 'methods',
    async locals(_ctx, { api }, account, _filled, { passId = '' }) {
      const pass = await api.pass(account.id, passId);
      return pass.ok ? { ok: true, data: {} } : pass;
    },
    send: ({ api }, id, _key, _form, { passId = '' }) => api.withdrawPass(id, passId),
  });
  action({ id: 'invite', send: ({ api }, id, key) => api.invite(id, key) });
  action({ id: 'reset-password', send: ({ api }, id, key) => api.resetPassword(id, key) });
  action({ id: 'deactivate', isDangerous: true, send: ({ api }, id, key) => api.deactivate(id, key) });
  action({ id: 'reactivate', send: ({ api }, id, key) => api.reactivate(id, key) });
  action({ id: 'end-sessions', tab: 'sessions', isDangerous: true, send: ({ api }, id) => api.endSessions(id) });
  action({
    id: 'end',
    within: '/sessions/:sessionId',
    tab: 'sessions',
    send: ({ api }, id, _key, _form, { sessionId = '' }) => api.endSession(id, sessionId),
  });

  action({
    id: 'revoke',
    within: '/methods/:factorId',
    tab: 'methods',
    isDangerous: true,
    fields: { etag: 200 },
    async locals(_ctx, { api }, account, _filled, { factorId = '' }) {
      const factor = await api.factor(account.id, factorId);
      if (!factor.ok) return factor;
      const { method, label } = factor.data;
      return { ok: true, data: { etag: factor.etag ?? '', factor: { method, label } } };
    },
    send: ({ api }, id, _key, { etag }, { factorId = '' }) => api.revokeFactor(id, factorId, etag),
  });

  action({
    id: 'roles',
    fields: { role: 10, change: 6, etag: 200 },
    async locals(_ctx, { api }, account) {
      const { etag = '' } = await api.account(account.id).then((found) => (found.ok ? found : { etag: '' }));
      return { ok: true, data: { etag, roles: ROLES.map((role) => ({ role, isHeld: account.roles.includes(role) })) } };
    },
    async send({ api }, id, _key, { role, change, etag }) {
      const known = ROLES.find((one) => one === role);
      if (!known || !['grant', 'revoke'].includes(change)) return problem(400, 'role');
      return api.setRole(id, known, change === 'grant', etag);
    },
  });
}
