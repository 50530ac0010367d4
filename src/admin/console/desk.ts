import type { Context } from 'koa';
import { type FormFields, type FormValues, type Pages, type Presenter, seeOther } from '../../http/index.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import type { Scope } from '../index.js';
import { type Administrator, type Administrators, hereOf } from './administrators.js';
import type { Answer, Refusal } from './api-call.js';
import type { WebSessions } from './web-sessions.js';

/** What every page of the console is made with. */
export interface Console {
  pages: Pages;
  presenter: Presenter;
  administrators: Administrators;
  sessions: WebSessions;
  clock: Clock;
  random: Random;
  issuer: string;
  /** Where text messages can go; absent where they are not among the login methods. */
  smsCountries?: readonly string[];
  /** A path of ours as the browser sees it. */
  url(path: string): string;
}

export type Params = Readonly<Record<string, string>>;
export type Locals = Record<string, unknown>;

const SECTIONS: readonly { id: string; path: string; scope: Scope; isThere?: (desk: Console) => boolean }[] = [
  { id: 'queue', path: '/console', scope: 'recovery:read' },
  { id: 'people', path: '/console/people', scope: 'accounts:read' },
  { id: 'overview', path: '/console/overview', scope: 'reports:read' },
  {
    id: 'sms',
    path: '/console/sms',
    scope: 'reports:read',
    isThere: ({ smsCountries }) => smsCountries !== undefined,
  },
  { id: 'audit', path: '/console/audit', scope: 'audit:read' },
  { id: 'clients', path: '/console/clients', scope: 'clients:read' },
];
export type Section = 'queue' | 'people' | 'overview' | 'sms' | 'audit' | 'clients';

/** The frame around every page of somebody signed in. */
export function show(
  desk: Console,
  ctx: Context,
  administrator: Administrator,
  section: Section | undefined,
  view: string,
  locals: Locals = {},
  status = 200,
): void {
  desk.presenter.show(
    ctx,
    `console/${view}`,
    {
      frame: {
        name: administrator.name,
        roles: administrator.roles,
        signOutAction: desk.url('/console/sign-out'),
        sections: SECTIONS.filter(({ scope, isThere }) => administrator.may(scope) && (isThere?.(desk) ?? true)).map(
          ({ id, path }) => ({
            id,
            href: desk.url(path),
            isCurrent: id === section,
          }),
        ),
      },
      ...locals,
    },
    status,
  );
}

/** What the API would not do, as a page of its own; whoever must sign in or confirm is sent to. */
export async function refuse(
  desk: Console,
  ctx: Context,
  administrator: Administrator,
  section: Section | undefined,
  refusal: Refusal,
): Promise<void> {
  const { administrators } = desk;
  if (refusal.kind === 'signed_out') return administrators.signIn(ctx, hereOf(ctx));
  if (refusal.kind === 'step_up') return administrators.signIn(ctx, hereOf(ctx), refusal.stepUp);
  const { status, retryAfterSeconds } = refusal;
  if (retryAfterSeconds) ctx.set('Retry-After', String(retryAfterSeconds));
  const hasNoRole = status === 403 && administrator.roles.length === 0;
  show(
    desk,
    ctx,
    administrator,
    section,
    hasNoRole ? 'no-role' : 'problem',
    {
      status: status >= 500 && status !== 503 ? 500 : status,
      retrySeconds: retryAfterSeconds,
      homeHref: desk.url('/console'),
    },
    status,
  );
}

/** A page for somebody signed in. */
export function page(
  desk: Console,
  path: string,
  section: Section,
  handler: (ctx: Context, administrator: Administrator, params: Params) => Promise<Refusal | undefined>,
): void {
  desk.pages.get(path, async (ctx, params) => {
    const administrator = await desk.administrators.require(ctx);
    if (!administrator) return;
    const refusal = await handler(ctx, administrator, params);
    if (refusal) await refuse(desk, ctx, administrator, section, refusal);
  });
}

/** What stands above a form that was not done. */
export interface FormProblem {
  status: number;
  code: string;
  document: Readonly<Record<string, unknown>>;
  retrySeconds?: number;
}

/** A form as it is shown: filled with what was typed before, and how that went. */
export interface Filled<Fields extends FormFields> {
  /** Empty strings where nothing was typed. */
  values: FormValues<Fields>;
  /** Whether `values` are somebody's and not the form's first ones. */
  isFilled: boolean;
  /** The same for each sending of this form: what it does, it does once. */
  key: string;
  /** Where to send it: with the id under which it is held, if it is. */
  action: string;
  /** Back from confirming: check and send again. */
  isConfirmed: boolean;
  problem?: FormProblem;
}

export interface FormPage<Fields extends FormFields, Done> {
  path: string;
  section: Section;
  fields: Fields;
  /** Shows the form. */
  show(
    ctx: Context,
    administrator: Administrator,
    params: Params,
    filled: Filled<Fields>,
  ): Promise<Refusal | undefined>;
  /** Does it. A `FormProblem` of one's own keeps what needs no API from being asked. */
  send(administrator: Administrator, form: FormValues<Fields>, params: Params, key: string): Promise<Answer<Done>>;
  done(ctx: Context, administrator: Administrator, done: Done, params: Params, form: FormValues<Fields>): Promise<void>;
  /** Instead of the form once more. True when it has answered. */
  refused?(
    ctx: Context,
    administrator: Administrator,
    refusal: Refusal & { kind: 'problem' },
    params: Params,
    form: FormValues<Fields>,
    key: string,
  ): Promise<boolean>;
}

/** Random, and of this form alone. */
const KEY_LENGTH = 64;
/** A form is shown again with these; all other refusals are a page. */
const ON_THE_FORM = new Set([400, 403, 409, 412, 422, 429, 503]);

/**
 * A page with a form, in all its lives: shown, sent, shown again with what was wrong, kept while its sender confirms who
 * they are (RFC 9470), and shown filled afterwards.
 */
export function formPage<const Fields extends FormFields, Done>(desk: Console, one: FormPage<Fields, Done>): void {
  const { pages, sessions, administrators, random } = desk;
  const fields = { ...one.fields, key: KEY_LENGTH };
  const names = Object.keys(one.fields);
  const valuesOf = (given: Readonly<Record<string, string>> = {}): FormValues<Fields> =>
    Object.fromEntries(names.map((name) => [name, given[name] ?? ''])) as FormValues<Fields>;
  const newKey = (): string => random.token(128);

  page(desk, one.path, one.section, async (ctx, administrator, params) => {
    const id = typeof ctx.query.form === 'string' ? ctx.query.form : undefined;
    const held = id ? await sessions.heldForm(administrator.session, id, ctx.path) : undefined;
    return one.show(ctx, administrator, params, {
      values: valuesOf(held),
      isFilled: held !== undefined,
      key: held?.key ?? newKey(),
      action: held ? `${ctx.path}?form=${id}` : ctx.path,
      isConfirmed: held !== undefined && ctx.query.moved === undefined,
    });
  });

  pages.form(one.path, fields, async (ctx, sent, params) => {
    const administrator = await administrators.require(ctx);
    if (!administrator) return;
    const form = valuesOf(sent);
    const key = /^[\w-]{16,64}$/.test(sent.key) ? sent.key : newKey();
    const answer = await one.send(administrator, form, params, key);
    if (answer.ok) {
      if (typeof ctx.query.form === 'string') await sessions.dropForm(administrator.session, ctx.query.form);
      return one.done(ctx, administrator, answer.data, params, form);
    }
    const { refusal } = answer;
    if (refusal.kind !== 'problem') {
      const held = await sessions.hold(administrator.session, { path: ctx.path, values: { ...form, key } });
      const stepUp = refusal.kind === 'step_up' ? refusal.stepUp : undefined;
      return administrators.signIn(ctx, `${ctx.path}?form=${held}`, stepUp);
    }
    if (await one.refused?.(ctx, administrator, refusal, params, form, key)) return;
    const { status, code, document, retryAfterSeconds } = refusal;
    if (!ON_THE_FORM.has(status)) return refuse(desk, ctx, administrator, one.section, refusal);
    if (retryAfterSeconds) ctx.set('Retry-After', String(retryAfterSeconds));
    const shown = await one.show(ctx, administrator, params, {
      values: form,
      isFilled: true,
      // The API frees the key of what it refuses, and keeps the one of what it may have done.
      key: code === 'IDEMPOTENCY_KEY_REUSED' ? newKey() : key,
      action: ctx.path,
      isConfirmed: false,
      problem: { status, code, document, ...(retryAfterSeconds ? { retrySeconds: retryAfterSeconds } : {}) },
    });
    if (shown) return refuse(desk, ctx, administrator, one.section, shown);
    ctx.status = status;
  });
}

export const leadTo = (desk: Console, ctx: Context, path: string): void => seeOther(ctx, desk.url(path));
