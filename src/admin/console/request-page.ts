import type { Context } from 'koa';
import type { FormFields, FormValues } from '../../http/index.js';
import { browserName } from '../../platform/browser-name.js';
import type { OtherBrowsers, Verification } from '../../recovery-desk/contract.js';
import { OTHER_BROWSERS, VERIFICATIONS } from '../../recovery-desk/contract.js';
import type { Administrator } from './administrators.js';
import type { ApiFactor, ApiRequest, Decision } from './api.js';
import { problem, type Refusal } from './api-call.js';
import { type Console, type Filled, formPage, leadTo, show } from './desk.js';
import { accountsOf, nameOf, outOfReach } from './queue-page.js';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** Ticks of one form: nobody has more factors than this, and a form's fields are declared. */
export const MOST_TICKS = 8;
const TICKS = Array.from({ length: MOST_TICKS }, (_, index) => `revoke${index + 1}`);
export const TICK_FIELDS = Object.fromEntries(TICKS.map((name) => [name, 64])) as Readonly<Record<string, number>>;

export const DECISION_FIELDS = { hours: 4, verifiedBy: 32, otherBrowsers: 16, reason: 300 } as const;
const FIELDS = { outcome: 10, requestNumber: 20, ...DECISION_FIELDS, ...TICK_FIELDS } as const satisfies FormFields;
type Form = FormValues<typeof FIELDS>;

const oneOf = <T extends string>(list: readonly T[], value: string | undefined): T | undefined =>
  list.find((entry) => entry === value);

/** What the parts of a decision that a suspension without a request has, too, say to the API. */
export function suspensionOf(form: Readonly<Record<string, string>>) {
  const hours = Number(form.hours);
  const verifiedBy = oneOf<Verification>(VERIFICATIONS, form.verifiedBy);
  const otherBrowsers = oneOf<OtherBrowsers>(OTHER_BROWSERS, form.otherBrowsers);
  const revokeFactorIds = TICKS.map((name) => form[name] ?? '').filter(Boolean);
  return {
    ...(hours > 0 ? { hours } : {}),
    ...(verifiedBy ? { verifiedBy } : {}),
    ...(form.reason ? { reason: form.reason } : {}),
    ...(revokeFactorIds.length > 0 ? { revokeFactorIds } : {}),
    ...(otherBrowsers ? { otherBrowsers } : {}),
  };
}

/** The account's factors to tick, those on a phone that is gone already ticked. */
export function ticks(
  factors: readonly ApiFactor[],
  values: Readonly<Record<string, string>>,
  isFilled: boolean,
  isTickedAtFirst: boolean,
) {
  const chosen = new Set(TICKS.map((name) => values[name]).filter(Boolean));
  return factors.slice(0, MOST_TICKS).map(({ id, method, label }, index) => ({
    name: TICKS[index],
    id,
    method,
    label,
    isTicked: isFilled ? chosen.has(id) : isTickedAtFirst && !['recovery_code', 'webauthn'].includes(method),
  }));
}

function flagsOf(desk: Console, request: ApiRequest, others: readonly ApiRequest[], factors: readonly ApiFactor[]) {
  const now = desk.clock.now().getTime();
  const openElsewhere = others.filter(({ id, state }) => state === 'open' && id !== request.id).length;
  const today = others.filter(({ id, createdAt }) => id !== request.id && now - createdAt.getTime() < DAY_MS);
  const isNewFactor = factors.some(({ createdAt }) => now - createdAt.getTime() < WEEK_MS);
  return [
    ...(request.isKnownBrowser ? [] : [{ kind: 'unknown_browser' }]),
    ...(openElsewhere > 0 ? [{ kind: 'several_open', count: openElsewhere + 1 }] : []),
    ...(openElsewhere === 0 && today.length > 0 ? [{ kind: 'again_today', count: today.length + 1 }] : []),
    ...(isNewFactor ? [{ kind: 'new_method' }] : []),
  ];
}

interface Loaded {
  request: ApiRequest;
  factors: ApiFactor[];
  others: ApiRequest[];
}

async function load(administrator: Administrator, id: string): Promise<Loaded | Refusal> {
  const { api } = administrator;
  const found = await api.request(id);
  if (!found.ok) return found.refusal;
  const { id: accountId } = found.data.account;
  const [factors, others] = await Promise.all([api.factors(accountId), api.requests({ accountId, limit: '20' })]);
  return {
    request: found.data,
    factors: factors.ok ? factors.data.items : [],
    others: others.ok ? others.data.items : [],
  };
}

/** One request: the facts, what should make one careful, and the decision; once it is made, what was decided. */
export function mountRequest(desk: Console, settings: { suspensionHours: readonly number[] }): void {
  const personPath = (accountId: string): string => `/console/people/${encodeURIComponent(accountId)}`;

  const showDecided = async (ctx: Context, administrator: Administrator, loaded: Loaded, isLate: boolean) => {
    const { request } = loaded;
    const { decision, account } = request;
    const ids = [account.id, ...(decision ? [decision.by] : [])];
    const accounts = await accountsOf(administrator.api, ids);
    const running = accounts.get(account.id)?.suspension;
    const until = decision?.hours ? new Date(decision.at.getTime() + decision.hours * 3600_000) : undefined;
    const isRunning = running !== undefined && running.id === decision?.suspensionId;
    show(desk, ctx, administrator, 'queue', 'decided', {
      name: nameOf(account),
      state: request.state,
      isLate,
      isJustDecided: ctx.query.done !== undefined,
      decision: decision && {
        ...decision,
        byName: decision.by === administrator.accountId ? undefined : (accounts.get(decision.by)?.name ?? decision.by),
        secondsAgo: Math.max(0, Math.round((desk.clock.now().getTime() - decision.at.getTime()) / 1000)),
        revoked: decision.revokedFactorIds?.length ?? 0,
      },
      changedAt: request.changedAt,
      until,
      isRunning,
      personHref: desk.url(personPath(account.id)),
      queueHref: desk.url('/console'),
      ...(isRunning && administrator.may('suspensions:write')
        ? {
            endHref: desk.url(`${personPath(account.id)}/end-suspension`),
            codeHref: desk.url(`${personPath(account.id)}/access-code`),
          }
        : {}),
    });
  };

  const showForm = (ctx: Context, administrator: Administrator, loaded: Loaded, filled: Filled<typeof FIELDS>) => {
    const { request, factors, others } = loaded;
    const { account } = request;
    const { values, isFilled } = filled;
    const isLost = request.circumstances === 'lost_or_stolen';
    show(desk, ctx, administrator, 'queue', 'request', {
      ...filled,
      isMoved: ctx.query.moved !== undefined,
      values: {
        ...values,
        hours: values.hours || String(settings.suspensionHours[0] ?? 24),
        otherBrowsers: values.otherBrowsers || OTHER_BROWSERS[0],
      },
      name: nameOf(account),
      login: account.login,
      groups: account.groups,
      personHref: desk.url(personPath(account.id)),
      queueHref: desk.url('/console'),
      request: {
        createdAt: request.createdAt,
        ageSeconds: Math.max(0, Math.round((desk.clock.now().getTime() - request.createdAt.getTime()) / 1000)),
        expiresAt: request.expiresAt,
        circumstances: request.circumstances,
        contact: request.contact,
        note: request.note,
        applicationName: request.application?.name,
        ip: request.origin.ip,
        browser: browserName(request.origin.userAgent),
        isKnownBrowser: request.isKnownBrowser,
        failedMethods: request.failedMethods,
      },
      flags: flagsOf(desk, request, others, factors),
      verifications: VERIFICATIONS,
      hourChoices: settings.suspensionHours,
      ticks: ticks(factors, values, isFilled, isLost),
      outOfReach: administrator.may('recovery:decide') ? outOfReach(administrator, account) : 'scope',
    });
  };

  formPage(desk, {
    path: '/console/requests/:id',
    section: 'queue',
    fields: FIELDS,

    async show(ctx, administrator, { id = '' }, filled) {
      const loaded = await load(administrator, id);
      if ('kind' in loaded) return loaded;
      if (loaded.request.state === 'open') showForm(ctx, administrator, loaded, filled);
      else await showDecided(ctx, administrator, loaded, filled.problem !== undefined);
      return undefined;
    },

    async send(administrator, form, { id = '' }, key) {
      const outcome = oneOf(['approved', 'declined'], form.outcome);
      if (!outcome) return problem(400, 'outcome');
      const missing = outcome === 'approved' ? missingOf(form) : undefined;
      if (missing) return problem(422, missing);
      return administrator.api.decide(id, key, decisionOf(outcome, form));
    },

    async done(ctx, _administrator, _request, { id = '' }) {
      leadTo(desk, ctx, `/console/requests/${encodeURIComponent(id)}?done=1`);
    },

    /** The number that was read out belongs to the account's other request: that one is shown, with all that was typed. */
    async refused(ctx, administrator, { document }, _params, form, key) {
      const { matches } = document;
      if (typeof matches !== 'string') return false;
      const path = `/console/requests/${encodeURIComponent(matches)}`;
      const held = await desk.sessions.hold(administrator.session, {
        path: desk.url(path),
        values: { ...form, key },
      });
      leadTo(desk, ctx, `${path}?form=${held}&moved=1`);
      return true;
    },
  });
}

/** The first thing that an approval lacks, named like its field. */
function missingOf(form: Form): 'number_missing' | 'check_missing' | undefined {
  if (!form.requestNumber?.trim()) return 'number_missing';
  return oneOf<string>(VERIFICATIONS, form.verifiedBy) ? undefined : 'check_missing';
}

const decisionOf = (outcome: 'approved' | 'declined', form: Form): Decision => {
  if (outcome === 'declined') return { outcome, ...(form.reason ? { reason: form.reason } : {}) };
  return { outcome, requestNumber: form.requestNumber ?? '', ...suspensionOf(form) };
};
