import { browserName } from '../../platform/browser-name.js';
import type { Scope } from '../index.js';
import type { Administrator } from './administrators.js';
import type { ApiAccount } from './api.js';
import type { Answer, Refusal } from './api-call.js';
import { auditRow, peopleIn } from './audit-page.js';
import { type Console, type Locals, page, show } from './desk.js';
import { standingOf } from './people-page.js';
import { accountsOf, outOfReach, word } from './queue-page.js';

const TABS = [
  { id: 'methods', scope: 'factors:read' },
  { id: 'sessions', scope: 'sessions:read' },
  { id: 'requests', scope: 'recovery:read' },
  { id: 'audit', scope: 'audit:read' },
] as const satisfies readonly { id: string; scope: Scope }[];
type Tab = (typeof TABS)[number]['id'];

export const ROLES = ['auditor', 'helpdesk', 'admin', 'owner'] as const;

/** One person: a header that says everything at a glance, what can be done, and the details in tabs. */
export function mountProfile(desk: Console, settings: { suspensionHours: readonly number[] }): void {
  const pathOf = (id: string): string => `/console/people/${encodeURIComponent(id)}`;

  const methods = async (administrator: Administrator, account: ApiAccount, canAct: boolean): Loading => {
    const [factors, passes] = await Promise.all([
      administrator.api.factors(account.id),
      administrator.may('passes:issue') ? administrator.api.passes(account.id) : undefined,
    ]);
    if (!factors.ok) return factors;
    const now = desk.clock.now();
    return loaded({
      factors: factors.data.items.map(({ id, method, label, createdAt, lastUsedAt, usableFrom }) => ({
        method,
        label,
        createdAt,
        lastUsedAt,
        usableFrom,
        ...(canAct && administrator.may('factors:revoke')
          ? { revokeHref: desk.url(`${pathOf(account.id)}/methods/${encodeURIComponent(id)}/revoke`) }
          : {}),
      })),
      passes: passes?.ok
        ? passes.data.items
            .filter(({ usedAt, revokedAt, expiresAt }) => !usedAt && !revokedAt && expiresAt > now)
            .map(({ id, createdAt, expiresAt }) => ({
              createdAt,
              expiresAt,
              ...(canAct
                ? { withdrawHref: desk.url(`${pathOf(account.id)}/passes/${encodeURIComponent(id)}/withdraw`) }
                : {}),
            }))
        : [],
    });
  };

  const sessions = async (administrator: Administrator, account: ApiAccount, canAct: boolean): Loading => {
    const answer = await administrator.api.sessions(account.id);
    if (!answer.ok) return answer;
    const canEnd = canAct && administrator.may('sessions:revoke');
    return loaded({
      sessions: answer.data.items.map(({ id, startedAt, lastSignInAt, ip, userAgent, applications }) => ({
        startedAt,
        lastSignInAt,
        ip,
        browser: browserName(userAgent),
        applications: applications.map(({ name }) => name),
        ...(canEnd ? { endHref: desk.url(`${pathOf(account.id)}/sessions/${encodeURIComponent(id)}/end`) } : {}),
      })),
    });
  };

  const requests = async ({ api }: Administrator, account: ApiAccount): Loading => {
    const [found, suspensions] = await Promise.all([
      api.requests({ accountId: account.id, limit: '20' }),
      api.suspensions({ accountId: account.id, limit: '20' }),
    ]);
    if (!found.ok) return found;
    if (!suspensions.ok) return suspensions;
    const starters = suspensions.data.items.flatMap(({ startedBy }) => (startedBy ? [startedBy] : []));
    const names = await accountsOf(api, starters);
    return loaded({
      requests: found.data.items.map(({ id, state, createdAt, circumstances }) => ({
        href: desk.url(`/console/requests/${encodeURIComponent(id)}`),
        state,
        createdAt,
        circumstances,
      })),
      suspensions: suspensions.data.items.map((one) => ({
        ...one,
        startedByName: one.startedBy ? (names.get(one.startedBy)?.name ?? one.startedBy) : undefined,
      })),
    });
  };

  const audit = async ({ api }: Administrator, account: ApiAccount): Loading => {
    const answer = await api.auditEvents({ target: account.id, limit: '30' });
    if (!answer.ok) return answer;
    const names = await accountsOf(api, answer.data.items.flatMap(peopleIn));
    return loaded({
      events: answer.data.items.map((event) => auditRow(desk, event, names)),
      allHref: desk.url(`/console/audit?target=${encodeURIComponent(account.id)}`),
    });
  };

  const contents: Record<Tab, (a: Administrator, account: ApiAccount, canAct: boolean) => Loading> = {
    methods,
    sessions,
    requests,
    audit,
  };

  /** What can be done about this person, in groups; what this administrator may not do is not there. */
  const actionsOf = (administrator: Administrator, account: ApiAccount) => {
    const own = pathOf(account.id);
    const href = (action: string): string => desk.url(`${own}/${action}`);
    const may = (scope: Scope, actions: { id: string; href: string; hours?: number }[]) =>
      administrator.may(scope) ? actions : [];
    const isActive = account.active;
    const twoFactor = may(
      'suspensions:write',
      account.suspension
        ? [
            { id: 'access-code', href: href('access-code') },
            { id: 'end-suspension', href: href('end-suspension') },
          ]
        : settings.suspensionHours.map((hours) => ({ id: 'suspend', hours, href: href(`suspend?hours=${hours}`) })),
    );
    return [
      { id: 'two_factor', actions: isActive ? twoFactor : [] },
      {
        id: 'access',
        actions: [
          ...(isActive ? may('passes:issue', [{ id: 'access-pass', href: href('access-pass') }]) : []),
          ...(isActive
            ? may('accounts:write', [
                { id: 'invite', href: href('invite') },
                { id: 'reset-password', href: href('reset-password') },
              ])
            : []),
          ...may('sessions:revoke', [{ id: 'end-sessions', href: href('end-sessions') }]),
        ],
      },
      {
        id: 'account',
        actions: [
          ...may('accounts:write', [
            isActive ? { id: 'deactivate', href: href('deactivate') } : { id: 'reactivate', href: href('reactivate') },
          ]),
          ...may('roles:write', [{ id: 'roles', href: href('roles') }]),
        ],
      },
    ].filter(({ actions }) => actions.length > 0);
  };

  page(desk, '/console/people/:id', 'people', async (ctx, administrator, { id = '' }) => {
    const found = await administrator.api.account(id);
    if (!found.ok) return found.refusal;
    const account = found.data;
    const reason = outOfReach(administrator, account);
    const tabs = TABS.filter(({ scope }) => administrator.may(scope));
    const tab = tabs.find((one) => one.id === ctx.query.tab) ?? tabs[0];
    const content = tab ? await contents[tab.id](administrator, account, reason === undefined) : loaded({});
    if (!content.ok) return content.refusal;
    const { suspension } = account;
    show(desk, ctx, administrator, 'people', 'profile', {
      account: {
        name: account.name,
        login: account.login,
        email: account.email,
        groups: account.groups,
        roles: account.roles,
        createdAt: account.createdAt,
        level: account.level,
        methods: account.methods,
      },
      standing: standingOf(account),
      ...(suspension ? { suspension: { until: suspension.until, secondsLeft: secondsTo(suspension.until) } } : {}),
      outOfReach: reason,
      groups: reason === undefined ? actionsOf(administrator, account) : [],
      done: word(ctx.query.done),
      tab: tab?.id,
      tabs: tabs.map((one) => ({ id: one.id, href: desk.url(`${pathOf(account.id)}?tab=${one.id}`) })),
      ...content.data,
    });
    return undefined;
  });

  const secondsTo = (date: Date): number =>
    Math.max(0, Math.round((date.getTime() - desk.clock.now().getTime()) / 1000));
}

type Loading = Promise<Answer<Locals>>;
const loaded = (data: Locals): { ok: true; data: Locals } | { ok: false; refusal: Refusal } => ({ ok: true, data });
