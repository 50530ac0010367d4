import type { Context } from 'koa';
import type { Account } from '../../accounts/contract.js';
import type { RequestOrigin } from '../../audit/contract.js';
import { originOf, seeOther, stateOf } from '../../http/index.js';
import { inSeconds } from '../../platform/clock.js';
import {
  AFTER_DECLINE_SECONDS,
  CIRCUMSTANCES,
  type Circumstances,
  NOTE_LENGTH,
  type OwnRequest,
} from '../../recovery-desk/contract.js';
import type { HostedPages } from '../hosted-pages.js';
import { type OpenStep, openStep } from '../open-step.js';
import { sayRetryAfter } from '../retry-after.js';

/** How long a sign-in is kept while its person waits; after ten minutes of it the password is asked again. */
const HELD_SECONDS = 3600;
const CONTACT_LENGTH = 40;
/** The account's last events, which are looked through for a sign-in from this browser: all of one page of the index, none in vain. */
const EVENTS_LOOKED_AT = 200;

const isCircumstance = (value: string): value is Circumstances => CIRCUMSTANCES.some((known) => known === value);
/** Control characters and marks that turn the direction of writing have no place in what an administrator reads. */
const plain = (text: string): string => text.replace(/[^\P{C}\n]/gu, '').trim();

/** "Cannot confirm login": what happens then, and the form that asks the administrators. */
export function mountCannotConfirm(deps: HostedPages): void {
  const { pages, presenter, interactions, desk, recoveryCookie, clock, url } = deps;
  const base = (uid: string): string => url(`/second-factor/${uid}`);
  const requestPage = (uid: string): string => `${base(uid)}/request`;

  const locals = (ctx: Context, { interaction, actor }: OpenStep) => ({
    applicationName: stateOf(ctx).application?.name,
    login: actor.account.login,
    backHref: `${base(interaction.uid)}/methods`,
    cancelAction: `${base(interaction.uid)}/cancel`,
  });

  /** Undefined after leading to where there is something to do: nobody is asked for what would be refused. */
  const open = async (ctx: Context, uid: string): Promise<OpenStep | undefined> => {
    const step = await openStep(deps, ctx, uid);
    if (!step) return undefined;
    if ((await deps.suspensionFor(ctx, step.actor.account))?.clearedBy) return void seeOther(ctx, base(uid));
    if (await deps.acceptsSuspension(step.interaction.params)) return step;
    return void seeOther(ctx, `${base(uid)}/methods`);
  };

  /** Nothing to ask for now: it was asked, or declined a moment ago. */
  const isSettled = ({ state, changedAt }: OwnRequest): boolean =>
    state === 'open' || (state === 'declined' && inSeconds(changedAt, AFTER_DECLINE_SECONDS) > clock.now());

  /** Whether the account has signed in from this browser before, all the way. */
  const isKnownBrowser = async ({ id }: Account, { browser }: RequestOrigin): Promise<boolean> => {
    if (!browser) return false;
    const events = await deps.audit.list({ accountId: id }, { limit: EVENTS_LOOKED_AT });
    return events.some(({ type, origin }) => type === 'authn_login_success' && origin?.browser === browser);
  };

  pages.get('/second-factor/:uid/cannot-confirm', async (ctx, { uid = '' }) => {
    const step = await open(ctx, uid);
    if (!step) return;
    // The cookie before the form: sent twice at once, it is still one browser's one request.
    const earlier = await desk.ofBrowser(step.actor.account.id, recoveryCookie.ensure(ctx));
    if (earlier && isSettled(earlier)) return seeOther(ctx, requestPage(uid));
    presenter.show(ctx, 'recovery/ask', {
      ...locals(ctx, step),
      action: `${base(uid)}/cannot-confirm`,
      usualHours: deps.rules.usualHours,
    });
  });

  pages.form(
    '/second-factor/:uid/cannot-confirm',
    // A line break counts as one where it is typed, and as two where it arrives.
    { circumstances: 32, contact: CONTACT_LENGTH, note: NOTE_LENGTH * 2 },
    async (ctx, form, { uid = '' }) => {
      const step = await open(ctx, uid);
      if (!step) return;
      const { interaction, actor } = step;
      const { circumstances } = form;
      const contact = plain(form.contact);
      const note = plain(form.note.replaceAll('\r\n', '\n'));
      const problems = [
        ...(isCircumstance(circumstances) ? [] : ['circumstances']),
        ...(note.length > NOTE_LENGTH ? ['note'] : []),
      ];
      if (!isCircumstance(circumstances) || problems.length > 0) {
        const again = { action: `${base(uid)}/cannot-confirm`, usualHours: deps.rules.usualHours, problems };
        return presenter.show(ctx, 'recovery/ask', { ...locals(ctx, step), ...form, note, contact, ...again }, 422);
      }
      const origin = originOf(ctx);
      const filed = await desk.file(actor.account, {
        browserHash: recoveryCookie.ensure(ctx),
        circumstances,
        clientId: String(interaction.params.client_id),
        isKnownBrowser: await isKnownBrowser(actor.account, origin),
        origin,
        ...(contact ? { contact } : {}),
        ...(note ? { note } : {}),
      });
      switch (filed.status) {
        case 'filed':
        case 'exists':
          await interactions.hold(ctx, interaction, HELD_SECONDS);
          return seeOther(ctx, requestPage(uid));
        case 'full':
          return presenter.show(ctx, 'recovery/full', locals(ctx, step), 409);
        case 'wait': {
          sayRetryAfter(ctx, clock, filed.retryAt);
          const { backHref, ...rest } = locals(ctx, step);
          const declined = { state: 'declined', retryAt: filed.retryAt, methodsHref: backHref };
          return presenter.show(ctx, 'recovery/over', { ...rest, ...declined }, 429);
        }
      }
    },
  );
}
