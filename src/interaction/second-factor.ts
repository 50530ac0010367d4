import type { Context } from 'koa';
import { AppError } from '../errors.js';
import type { AccountMethod } from '../factors/index.js';
import { originOf, seeOther, stateOf } from '../http/index.js';
import { epochSeconds } from '../platform/clock.js';
import { ACR, highest, isAtLeast } from '../policy/levels.js';
import type { Actor } from './actor.js';
import { actorOf } from './actor.js';
import { amrOf } from './amr.js';
import type { HostedPages } from './hosted-pages.js';
import type { SignInInteraction } from './interaction.js';

/** A right answer whose result is not stored after this time was lost with its node. */
const FINISHING_MS = 1_000;

/** The second step of a sign-in: the preferred method's page, the list of all, and the proof. Prompt `second_factor`. */
export function mountSecondFactor(deps: HostedPages): void {
  const { pages, presenter, interactions, engine, clock, random, url } = deps;
  const base = (uid: string): string => url(`/second-factor/${uid}`);

  const open = async (
    ctx: Context,
    uid: string,
  ): Promise<{ interaction: SignInInteraction; actor: Actor } | undefined> => {
    const interaction = await interactions.load(ctx, uid, 'second_factor');
    return (
      interaction && { interaction, actor: await actorOf(ctx, interaction, { ...deps, provider: deps.provider() }) }
    );
  };

  /** Methods that would do here; weaker ones than asked for are left out, they would only lead back. */
  const usable = async (actor: Actor, factorLevel: string | undefined): Promise<AccountMethod[]> =>
    (await actor.methods())
      .map((method) => ({
        ...method,
        factors: method.factors.filter(({ level }) => factorLevel !== 'phr' || isAtLeast(level, 'phr')),
      }))
      .filter(({ factors }) => factors.length > 0);

  const showEntry = async (
    ctx: Context,
    interaction: SignInInteraction,
    actor: Actor,
    method: string,
    locals: Record<string, unknown> = {},
    status = 200,
  ): Promise<void> => {
    const step = await engine.begin(
      {
        cid: interaction.cid,
        account: actor.account,
        origin: originOf(ctx),
        clientId: String(interaction.params.client_id),
      },
      method,
      await actor.methods(),
    );
    if (!step) return seeOther(ctx, `${base(interaction.uid)}/methods`);
    presenter.show(
      ctx,
      step.view,
      {
        ...step.locals,
        action: `${base(interaction.uid)}/with/${method}`,
        applicationName: stateOf(ctx).application?.name,
        login: actor.account.login,
        otherMethodsHref: `${base(interaction.uid)}/methods`,
        cancelAction: `${base(interaction.uid)}/cancel`,
        ...locals,
      },
      status,
    );
  };

  pages.get('/second-factor/:uid', async (ctx, { uid = '' }) => {
    const opened = await open(ctx, uid);
    if (!opened) return;
    const { interaction, actor } = opened;
    const decision = await deps.judge(ctx, actor, interaction.params);
    switch (decision.action) {
      case 'deny':
        throw new AppError('ACCOUNT_UNUSABLE', 'deactivated');
      case 'set_up':
      case 'offer_set_up':
      case 'set_up_not_permitted':
        return seeOther(ctx, `${base(uid)}/set-up`);
      case 'unmet':
        return interactions.finish(ctx, interaction, {
          error: 'unmet_authentication_requirements',
          error_description: 'the requested level cannot be reached',
        });
      default: {
        // `prompt=second_factor` asks for a proof even where the session would do.
        const [first] = await usable(actor, decision.factorLevel);
        if (first) return showEntry(ctx, interaction, actor, first.id);
        return seeOther(ctx, `${base(uid)}/set-up`);
      }
    }
  });

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
          const obstacle = await engine.obstacle(actor.account.id, id);
          return {
            id,
            href: `${base(uid)}/with/${id}`,
            factors,
            left: factors[0]?.facts.left,
            labels: factors.map(({ label }) => label),
            ...(obstacle
              ? { disabledReason: obstacle.retryAt ? 'throttled' : 'disabled', retryAt: obstacle.retryAt }
              : {}),
          };
        }),
      ),
      cancelAction: `${base(uid)}/cancel`,
      ...(decision.factorLevel === 'phr' ? { required: 'phr' } : {}),
    });
  });

  pages.get('/second-factor/:uid/with/:method', async (ctx, { uid = '', method = '' }) => {
    const opened = await open(ctx, uid);
    if (opened) await showEntry(ctx, opened.interaction, opened.actor, method);
  });

  for (const { method, evidenceFields } of engine.forms()) {
    pages.form(`/second-factor/:uid/with/${method}`, evidenceFields, async (ctx, evidence, { uid = '' }) => {
      const opened = await open(ctx, uid);
      if (!opened) return;
      const { interaction, actor } = opened;
      const result = await engine.submit(
        {
          cid: interaction.cid,
          account: actor.account,
          origin: originOf(ctx),
          clientId: String(interaction.params.client_id),
        },
        method,
        evidence,
      );
      switch (result.status) {
        case 'verified': {
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
          return showEntry(ctx, interaction, actor, method);
        case 'throttled': {
          if (result.retryAt) {
            const seconds = Math.max(1, Math.ceil((result.retryAt.getTime() - clock.now().getTime()) / 1000));
            ctx.set('Retry-After', String(seconds));
          }
          const error = result.retryAt ? 'throttled' : 'disabled';
          return showEntry(ctx, interaction, actor, method, { error, retryAt: result.retryAt }, 429);
        }
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

  pages.get('/second-factor/:uid/cancel', async (ctx, { uid = '' }) => seeOther(ctx, base(uid)));
  pages.form('/second-factor/:uid/cancel', {}, async (ctx, _form, { uid = '' }) => {
    const interaction = await interactions.load(ctx, uid, 'second_factor');
    if (interaction) await interactions.cancel(ctx, interaction);
  });
}
