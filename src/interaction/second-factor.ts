import type { Context } from 'koa';
import { AppError } from '../errors.js';
import type { AccountMethod, SignIn, Throttled, Unusable } from '../factors/index.js';
import { originOf, seeOther, stateOf } from '../http/index.js';
import { epochSeconds } from '../platform/clock.js';
import type { Decision } from '../policy/index.js';
import { ACR, highest, isAtLeast } from '../policy/levels.js';
import type { Actor } from './actor.js';
import { amrOf } from './amr.js';
import { spokenTo } from './enrolment-page.js';
import type { HostedPages } from './hosted-pages.js';
import type { SignInInteraction } from './interaction.js';
import { type OpenStep, openStep } from './open-step.js';
import { openRequestHere, showRefused } from './recovery/index.js';
import { sayRetryAfter } from './retry-after.js';
import { endStandIns, isOlderThan } from './stand-ins.js';
import { UNMET } from './unmet.js';
import { watch } from './watching.js';

/** A right answer whose result is not stored after this time was lost with its node. */
const FINISHING_MS = 1_000;

const reasonOf = (obstacle: Unusable | Throttled): string => {
  if (obstacle.status === 'unusable') return obstacle.reason;
  return obstacle.retryAt ? 'throttled' : 'disabled';
};

/** The second step of a sign-in: the preferred method's page, the list of all, and the proof. Prompt `second_factor`. */
export function mountSecondFactor(deps: HostedPages): void {
  const { pages, presenter, interactions, engine, clock, random, url } = deps;
  const base = (uid: string): string => url(`/second-factor/${uid}`);

  const open = (ctx: Context, uid: string) => openStep(deps, ctx, uid);

  /** Methods that would do here; weaker ones than asked for are left out, they would only lead back. */
  const usable = async (actor: Actor, factorLevel: string | undefined): Promise<AccountMethod[]> =>
    (await actor.methods())
      .map((method) => ({
        ...method,
        factors: method.factors.filter(({ level }) => factorLevel !== 'phr' || isAtLeast(level, 'phr')),
      }))
      .filter(({ factors }) => factors.length > 0);

  /** The first that nothing stands in the way of; waits and limits are shown on its own page. */
  const firstUsable = async (actor: Actor, methods: readonly AccountMethod[]): Promise<AccountMethod | undefined> => {
    for (const method of methods) if (!(await engine.unusable(actor.account.id, method))) return method;
    return undefined;
  };

  const signInOf = (ctx: Context, interaction: SignInInteraction, { account }: Actor): SignIn => ({
    cid: interaction.cid,
    account: spokenTo(ctx, account),
    origin: originOf(ctx),
    clientId: String(interaction.params.client_id),
    ...(stateOf(ctx).application?.name ? { application: stateOf(ctx).application?.name } : {}),
  });

  const showEntry = async (
    ctx: Context,
    interaction: SignInInteraction,
    actor: Actor,
    method: string,
    locals: Record<string, unknown> = {},
    status = 200,
  ): Promise<void> => {
    const step = await engine.begin(signInOf(ctx, interaction, actor), method, await actor.methods());
    if (!step) return seeOther(ctx, `${base(interaction.uid)}/methods`);
    presenter.show(
      ctx,
      step.view,
      {
        ...step.locals,
        action: `${base(interaction.uid)}/with/${method}`,
        sendAction: `${base(interaction.uid)}/with/${method}/send`,
        eventsHref: `${base(interaction.uid)}/with/${method}/events`,
        applicationName: stateOf(ctx).application?.name,
        login: actor.account.login,
        otherMethodsHref: `${base(interaction.uid)}/methods`,
        cancelAction: `${base(interaction.uid)}/cancel`,
        ...locals,
      },
      status,
    );
  };

  const showThrottled = (
    ctx: Context,
    interaction: SignInInteraction,
    actor: Actor,
    method: string,
    retryAt: Date | undefined,
  ): Promise<void> => {
    if (retryAt) sayRetryAfter(ctx, clock, retryAt);
    return showEntry(ctx, interaction, actor, method, { error: retryAt ? 'throttled' : 'disabled', retryAt }, 429);
  };

  pages.get('/second-factor/:uid', async (ctx, { uid = '' }) => {
    const opened = await open(ctx, uid);
    if (!opened) return;
    const { interaction, actor } = opened;
    const { action, factorLevel } = await deps.judge(ctx, actor, interaction.params);
    const suspension = await deps.suspensionFor(ctx, actor.account);
    if (suspension?.clearedBy && isOlderThan(suspension, actor)) return seeOther(ctx, interaction.returnTo);
    switch (action) {
      case 'deny':
        throw new AppError('ACCOUNT_UNUSABLE', 'deactivated');
      case 'set_up':
      case 'offer_set_up':
        return seeOther(ctx, `${base(uid)}/set-up`);
      case 'unmet':
        return suspension ? showRefused(deps, ctx, opened, suspension) : interactions.finish(ctx, interaction, UNMET);
    }
    // Wherever this browser came from: the account's request goes on where it was.
    if (!suspension?.clearedBy && (await openRequestHere(deps, ctx, actor.account))) {
      return seeOther(ctx, `${base(uid)}/request`);
    }
    const isWithoutSecondStep = suspension?.clearedBy && !isAtLeast(actor.sessionLevel, '2fa');
    // `prompt=second_factor` asks for a proof even where the session would do: what a suspension let in has none.
    const methods = action === 'proceed' && isWithoutSecondStep ? [] : await usable(actor, factorLevel);
    const first = await firstUsable(actor, methods);
    if (first) return showEntry(ctx, interaction, actor, first.id);
    if (methods.length > 0) return seeOther(ctx, `${base(uid)}/methods`);
    seeOther(ctx, `${base(uid)}/${action === 'second_factor_with_access_code' ? 'access-code' : 'set-up'}`);
  });

  /** What helps where none of the methods does. */
  const furtherWays = async (ctx: Context, { interaction, actor }: OpenStep, { action }: Decision) => {
    const { account } = actor;
    const suspension = await deps.suspensionFor(ctx, account);
    const ask = `${base(interaction.uid)}/cannot-confirm`;
    const isAsked = !suspension?.clearedBy && (await deps.acceptsSuspension(interaction.params));
    const isWaiting = isAsked && (await openRequestHere(deps, ctx, account)) !== undefined;
    return [
      ...(suspension?.clearedBy ? [{ id: 'set_up', href: `${base(interaction.uid)}/set-up` }] : []),
      ...(action === 'second_factor_with_access_code'
        ? [{ id: 'access_code', href: `${base(interaction.uid)}/access-code` }]
        : []),
      ...((await deps.desk.hasAccessPass(account.id))
        ? [{ id: 'access_pass', href: `${base(interaction.uid)}/access-pass` }]
        : []),
      ...(isAsked ? [{ id: 'cannot_confirm', href: ask, isWaiting }] : []),
    ];
  };

  pages.get('/second-factor/:uid/methods', async (ctx, { uid = '' }) => {
    const opened = await open(ctx, uid);
    if (!opened) return;
    const { interaction, actor } = opened;
    const decision = await deps.judge(ctx, actor, interaction.params);
    const methods = await usable(actor, decision.factorLevel);
    presenter.show(ctx, 'methods', {
      applicationName: stateOf(ctx).application?.name,
      login: actor.account.login,
      methods: await Promise.all(
        methods.map(async ({ id, factors }) => {
          const obstacle = await engine.obstacle(actor.account.id, { id, factors });
          return {
            id,
            href: `${base(uid)}/with/${id}`,
            factors,
            facts: factors[0]?.facts ?? {},
            labels: factors.map(({ label }) => label),
            ...(obstacle ? { disabledReason: reasonOf(obstacle), retryAt: obstacle.retryAt } : {}),
          };
        }),
      ),
      ways: await furtherWays(ctx, opened, decision),
      cancelAction: `${base(uid)}/cancel`,
      ...(decision.factorLevel === 'phr' ? { required: 'phr' } : {}),
    });
  });

  pages.get('/second-factor/:uid/with/:method', async (ctx, { uid = '', method = '' }) => {
    const opened = await open(ctx, uid);
    if (opened) await showEntry(ctx, opened.interaction, opened.actor, method);
  });

  pages.get('/second-factor/:uid/with/:method/events', async (ctx, { uid = '', method = '' }) => {
    const opened = await open(ctx, uid);
    if (opened) await watch(deps, ctx, signInOf(ctx, opened.interaction, opened.actor), method);
  });

  for (const { method, evidenceFields } of engine.forms()) {
    pages.form(`/second-factor/:uid/with/${method}`, evidenceFields, async (ctx, evidence, { uid = '' }) => {
      const opened = await open(ctx, uid);
      if (!opened) return;
      const { interaction, actor } = opened;
      const result = await engine.submit(signInOf(ctx, interaction, actor), method, evidence);
      switch (result.status) {
        case 'verified': {
          await endStandIns(deps, ctx, opened, 'factor_proved');
          const ts = epochSeconds(clock);
          return interactions.finish(ctx, interaction, {
            login: {
              accountId: actor.account.id,
              ts: actor.ts,
              acr: ACR[highest(actor.sessionLevel, result.level)],
              amr: amrOf(actor.amr, result.amr),
            },
            second_factor: { method, ts },
            proof: { id: random.token(96), ts, method, factorId: result.factorId },
          });
        }
        case 'pending':
          return showEntry(ctx, interaction, actor, method, { isPending: true });
        case 'throttled':
          return showThrottled(ctx, interaction, actor, method, result.retryAt);
        case 'rejected': {
          // The same form sent twice at once: the other one was right, and its answer is where this browser should go.
          const mayBeFinished = result.code === 'used';
          if (await interactions.resumeIfFinished(ctx, uid, 'second_factor', mayBeFinished ? FINISHING_MS : 0)) return;
          if (result.isAnswered) throw new AppError('INTERACTION_ENDED', 'answered before, and its result was lost');
          return showEntry(ctx, interaction, actor, method, { error: 'rejected', failures: result.failures }, 422);
        }
      }
    });
  }

  for (const { id: method } of engine.enrollable().filter(({ sends }) => sends)) {
    const path = `/second-factor/:uid/with/${method}/send`;
    pages.get(path, async (ctx, { uid = '' }) => seeOther(ctx, `${base(uid)}/with/${method}`));
    pages.form(path, {}, async (ctx, _form, { uid = '' }) => {
      const opened = await open(ctx, uid);
      if (!opened) return;
      const { interaction, actor } = opened;
      const outcome = await engine.send(signInOf(ctx, interaction, actor), method);
      if (outcome?.status === 'throttled') return showThrottled(ctx, interaction, actor, method, outcome.retryAt);
      if (outcome?.status !== 'refused') return seeOther(ctx, `${base(uid)}/with/${method}`);
      const { reason, retryAt } = outcome;
      if (retryAt) sayRetryAfter(ctx, clock, retryAt);
      return showEntry(ctx, interaction, actor, method, { error: 'refused', reason, retryAt }, retryAt ? 429 : 503);
    });
  }

  pages.get('/second-factor/:uid/cancel', async (ctx, { uid = '' }) => seeOther(ctx, base(uid)));
  pages.form('/second-factor/:uid/cancel', {}, async (ctx, _form, { uid = '' }) => {
    const interaction = await interactions.load(ctx, uid, 'second_factor');
    if (!interaction) return;
    const { first_factor: first } = { ...interaction.lastSubmission, ...interaction.result };
    const accountId = first?.accountId ?? interaction.session?.accountId;
    if (accountId) await engine.cancel(accountId, interaction.cid);
    await interactions.cancel(ctx, interaction);
  });
}
