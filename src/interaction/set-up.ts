import type { Context } from 'koa';
import { AppError } from '../errors.js';
import type { Evidence } from '../factors/index.js';
import { originOf, seeOther, stateOf } from '../http/index.js';
import { epochSeconds } from '../platform/clock.js';
import type { Decision } from '../policy/index.js';
import { ACR, highest, type Level } from '../policy/levels.js';
import type { SuspensionHere } from '../second-factor/judgement.js';
import type { Actor } from './actor.js';
import { amrOf } from './amr.js';
import type { HostedPages } from './hosted-pages.js';
import type { SignInInteraction } from './interaction.js';
import { openStep } from './open-step.js';
import { endStandIns, isOlderThan } from './stand-ins.js';
import { mountTrial } from './trial.js';

/** Choosing the first method, and setting it up; what the wizard asks for afterwards comes on top. */
const FIRST_STEPS = 2;

type Proved = NonNullable<NonNullable<SignInInteraction['result']>['set_up']>;

interface Wizard {
  interaction: SignInInteraction;
  actor: Actor;
  /** The factor that was set up and proved in this very sign-in. */
  proved?: Proved;
  decision: Decision;
  /** Nobody demands it: the person came from the security page to set a first factor up. */
  isWanted: boolean;
  /** The suspension that let this browser in: set-up ends it. */
  suspension?: SuspensionHere;
  /** An access pass opens set-up here, whatever is set up already. */
  isByPass: boolean;
}

/**
 * The set-up wizard of a sign-in: choose, set up and try, then what every account is to have beside it. Each step is a URL; what is confirmed is kept
 * with the account, so that a wizard broken off goes on at the next sign-in where it was.
 */
export function mountSetUp(deps: HostedPages): void {
  const { pages, presenter, interactions, engine, enrolmentPage, standings, audit, clock, random, url } = deps;
  const base = (uid: string): string => url(`/second-factor/${uid}`);
  /** In the administrator's order. */
  const furtherMethods = engine.enrollable().filter(({ inSetUp }) => inSetUp !== undefined);
  const mayEnrol = ({ decision, proved, isWanted, suspension, isByPass }: Wizard): boolean =>
    proved !== undefined ||
    suspension !== undefined ||
    isByPass ||
    isWanted ||
    decision.action === 'set_up' ||
    decision.action === 'offer_set_up';

  const open = async (ctx: Context, uid: string): Promise<Wizard | undefined> => {
    const step = await openStep(deps, ctx, uid);
    if (!step) return undefined;
    const { interaction, actor } = step;
    const setUp = interaction.result?.set_up ?? interaction.lastSubmission?.set_up;
    // Removed meanwhile, in another browser: what is gone proves nothing.
    const isThere = (await actor.methods()).some(({ factors }) => factors.some(({ id }) => id === setUp?.factorId));
    const proved = setUp?.accountId === actor.account.id && isThere ? setUp : undefined;
    const decision = await deps.judge(ctx, actor, interaction.params);
    if (decision.action === 'deny') throw new AppError('ACCOUNT_UNUSABLE', 'deactivated');
    const isWanted =
      decision.action === 'proceed' &&
      (await actor.methods()).length === 0 &&
      (await deps.mayEnrolFirst(ctx, actor.account));
    const suspension = await deps.suspensionFor(ctx, actor.account);
    if (suspension?.clearedBy && isOlderThan(suspension, actor)) return void seeOther(ctx, interaction.returnTo);
    const isByPass = await deps.mayEnrolByPass(ctx, actor.account);
    return {
      ...step,
      decision,
      isWanted,
      isByPass,
      ...(suspension?.clearedBy ? { suspension } : {}),
      ...(proved ? { proved } : {}),
    };
  };

  const reasonOf = ({ suspension, isByPass, isWanted, decision }: Wizard): string => {
    if (suspension) return 'suspended';
    if (isByPass) return 'access_pass';
    return isWanted || decision.action === 'offer_set_up' ? 'offered' : 'required';
  };

  const locals = (ctx: Context, wizard: Wizard, n: number): Record<string, unknown> => ({
    applicationName: stateOf(ctx).application?.name,
    login: wizard.actor.account.login,
    step: { n, of: FIRST_STEPS + furtherMethods.length },
    reason: reasonOf(wizard),
    suspendedUntil: wizard.suspension?.until,
    cancelAction: `${base(wizard.interaction.uid)}/cancel`,
  });

  /** What comes next once the first one is proved: neither set up nor skipped. */
  const nextMethod = async (accountId: string, proved: Proved): Promise<string | undefined> => {
    const own = new Set((await engine.forAccount(accountId)).map(({ id }) => id));
    return furtherMethods.find(({ id }) => !own.has(id) && !proved.skipped?.includes(id))?.id;
  };

  /** The active ones of a method that allows several: the first to be set up may take the place of one, such as a lost phone. */
  const replaceable = async ({ actor, proved }: Wizard, method: string) => {
    const { maximumPerAccount: maximum } = engine.enrollable().find(({ id }) => id === method) ?? {};
    if (proved || maximum === undefined) return { factors: [], isRoom: true };
    const [own, all] = await Promise.all([engine.forAccount(actor.account.id), actor.methods()]);
    const factorsOf = (methods: typeof own) => methods.find(({ id }) => id === method)?.factors ?? [];
    return { factors: factorsOf(own), isRoom: factorsOf(all).length < maximum };
  };

  const tried = engine.enrollable().filter(({ isTried }) => isTried);
  const isToBeTried = ({ method, isTried }: Proved): boolean => !isTried && tried.some(({ id }) => id === method);

  const complete = (ctx: Context, { interaction, actor, proved }: Wizard): Promise<void> => {
    if (!proved) throw new AppError('ENROLMENT_NOT_PERMITTED', 'nothing was set up in this sign-in');
    const ts = epochSeconds(clock);
    return interactions.finish(ctx, interaction, {
      login: {
        accountId: actor.account.id,
        ts: actor.ts,
        acr: ACR[highest(actor.sessionLevel, proved.level as Level)],
        amr: amrOf(actor.amr, proved.amr),
      },
      second_factor: { method: proved.method, ts },
      proof: { id: random.token(96), ts, method: proved.method, factorId: proved.factorId },
    });
  };

  /** Under a suspension there is nothing to put off: it goes on without. */
  const laterFor = async ({ interaction, actor, suspension }: Wizard) => ({
    action: `${base(interaction.uid)}/set-up/later`,
    deadline: suspension ? undefined : await deps.setUpDeadline(actor.account),
  });

  pages.get('/second-factor/:uid/set-up', async (ctx, { uid = '' }) => {
    const wizard = await open(ctx, uid);
    if (!wizard) return;
    const { actor, decision, proved } = wizard;
    if (proved) {
      if (isToBeTried(proved)) return seeOther(ctx, `${base(uid)}/set-up/try/${proved.method}`);
      const next = await nextMethod(actor.account.id, proved);
      if (next) return seeOther(ctx, `${base(uid)}/set-up/${next}`);
      return presenter.show(ctx, 'set-up/done', {
        ...locals(ctx, wizard, FIRST_STEPS + furtherMethods.length),
        continueAction: `${base(uid)}/set-up/done`,
        methods: await engine.forAccount(actor.account.id),
      });
    }
    if (mayEnrol(wizard)) {
      return presenter.show(ctx, 'set-up/choose', {
        ...locals(ctx, wizard, 1),
        action: `${base(uid)}/set-up`,
        methods: engine.enrollable().filter(({ kind }) => kind === 'primary'),
        ...(decision.action === 'offer_set_up' ? { later: await laterFor(wizard) } : {}),
        ...((await actor.methods()).length > 0 ? { confirmHref: `${base(uid)}/methods` } : {}),
      });
    }
    if (decision.action !== 'set_up_not_permitted' && decision.action !== 'proceed') return seeOther(ctx, base(uid));
    presenter.show(ctx, 'set-up/not-permitted', {
      ...locals(ctx, wizard, 1),
      canSendLink: deps.rules.firstEnrolment === 'confirmed_email' && actor.account.email !== undefined,
      sendLinkAction: `${base(uid)}/set-up/send-link`,
      sent: ctx.query.sent === '1',
      ...((await deps.desk.hasAccessPass(actor.account.id)) ? { accessPassHref: `${base(uid)}/access-pass` } : {}),
      ...((await deps.acceptsSuspension(wizard.interaction.params))
        ? { otherMethodsHref: `${base(uid)}/methods` }
        : {}),
    });
  });

  pages.form('/second-factor/:uid/set-up', { method: 64 }, async (ctx, { method }, { uid = '' }) => {
    const wizard = await open(ctx, uid);
    if (!wizard) return;
    const isOffered = engine.enrollable().some(({ id, kind }) => id === method && kind === 'primary');
    if (!mayEnrol(wizard)) throw new AppError('ENROLMENT_NOT_PERMITTED', 'set-up is not open to this browser');
    if (!isOffered) throw new AppError('FACTOR_UNAVAILABLE', 'no such method to set up');
    const { factors } = await replaceable(wizard, method);
    seeOther(ctx, `${base(uid)}/set-up/${method}${factors.length > 0 ? '/instead' : ''}`);
  });

  const postpone = async (ctx: Context, accountId: string): Promise<void> => {
    await standings.postponeSetUp(accountId, deps.today());
    const actor = { type: 'account', id: accountId } as const;
    await audit.record({ type: 'set_up_postponed', accountId, actor, origin: originOf(ctx) });
  };

  pages.get('/second-factor/:uid/set-up/later', async (ctx, { uid = '' }) => seeOther(ctx, `${base(uid)}/set-up`));
  pages.form('/second-factor/:uid/set-up/later', {}, async (ctx, _form, { uid = '' }) => {
    const wizard = await open(ctx, uid);
    if (!wizard) return;
    const { interaction, actor, decision } = wizard;
    if (decision.action !== 'offer_set_up') throw new AppError('ENROLMENT_NOT_PERMITTED', 'no "later" any more');
    if (!wizard.suspension) await postpone(ctx, actor.account.id);
    await interactions.finish(ctx, interaction, await deps.passwordOnly(ctx, actor.account, actor.ts, actor.amr));
  });

  pages.get('/second-factor/:uid/set-up/send-link', async (ctx, { uid = '' }) => seeOther(ctx, `${base(uid)}/set-up`));
  pages.form('/second-factor/:uid/set-up/send-link', {}, async (ctx, _form, { uid = '' }) => {
    const wizard = await open(ctx, uid);
    if (!wizard) return;
    if (deps.rules.firstEnrolment !== 'confirmed_email' || wizard.decision.action !== 'set_up_not_permitted') {
      throw new AppError('ENROLMENT_NOT_PERMITTED', 'links are sent by invitation only');
    }
    await deps.sendConfirmationLink(wizard.actor.account);
    seeOther(ctx, `${base(uid)}/set-up?sent=1`);
  });

  pages.get('/second-factor/:uid/set-up/done', async (ctx, { uid = '' }) => seeOther(ctx, `${base(uid)}/set-up`));
  pages.form('/second-factor/:uid/set-up/done', {}, async (ctx, _form, { uid = '' }) => {
    const wizard = await open(ctx, uid);
    if (!wizard) return;
    const { actor, proved } = wizard;
    const next = proved && (await nextMethod(actor.account.id, proved));
    return next ? seeOther(ctx, `${base(uid)}/set-up/${next}`) : complete(ctx, wizard);
  });

  pages.get('/second-factor/:uid/set-up/skip', async (ctx, { uid = '' }) => seeOther(ctx, `${base(uid)}/set-up`));
  pages.form('/second-factor/:uid/set-up/skip', { method: 64 }, async (ctx, { method }, { uid = '' }) => {
    const wizard = await open(ctx, uid);
    if (!wizard) return;
    const { interaction, proved } = wizard;
    if (!proved || !furtherMethods.some(({ id, inSetUp }) => id === method && inSetUp === 'optional'))
      throw new AppError('ENROLMENT_NOT_PERMITTED', 'this step cannot be skipped');
    const skipped = [...new Set([...(proved.skipped ?? []), method])];
    await interactions.keep(ctx, interaction, { set_up: { ...proved, skipped } });
    seeOther(ctx, `${base(uid)}/set-up`);
  });

  for (const { method, evidenceFields } of engine.forms()) {
    if (!tried.some(({ id }) => id === method)) continue;
    mountTrial(deps, {
      pattern: `/second-factor/:uid/set-up/try/${method}`,
      method,
      evidenceFields,
      async open(ctx, { uid = '' }) {
        const wizard = await open(ctx, uid);
        if (!wizard) return undefined;
        const { interaction, actor, proved } = wizard;
        const label = (await engine.find(actor.account.id, proved?.factorId ?? ''))?.label;
        if (!proved || label === undefined || proved.method !== method || !isToBeTried(proved))
          return void seeOther(ctx, `${base(uid)}/set-up`);
        return {
          account: actor.account,
          factorId: proved.factorId,
          label,
          within: interaction.cid,
          href: `${base(uid)}/set-up/try/${method}`,
          locals: { ...locals(ctx, wizard, FIRST_STEPS), login: undefined, cancelAction: undefined },
          async leave() {
            await interactions.keep(ctx, interaction, { set_up: { ...proved, isTried: true } });
            seeOther(ctx, `${base(uid)}/set-up`);
          },
        };
      },
    });
  }

  for (const { id: method } of engine.enrollable().filter(({ maximumPerAccount }) => maximumPerAccount !== undefined)) {
    pages.get(`/second-factor/:uid/set-up/${method}/instead`, async (ctx, { uid = '' }) => {
      const wizard = await open(ctx, uid);
      if (!wizard) return;
      if (!mayEnrol(wizard)) throw new AppError('ENROLMENT_NOT_PERMITTED', 'set-up is not open here');
      const { factors, isRoom } = await replaceable(wizard, method);
      if (factors.length === 0) return seeOther(ctx, `${base(uid)}/set-up/${method}`);
      presenter.show(ctx, 'set-up/instead', {
        ...locals(ctx, wizard, 1),
        method,
        factors: factors.map((factor) => ({ ...factor, href: `${base(uid)}/set-up/${method}/instead/${factor.id}` })),
        ...(isRoom ? { besideHref: `${base(uid)}/set-up/${method}` } : {}),
        backHref: `${base(uid)}/set-up`,
      });
    });
  }

  for (const { method, kind, enrolmentFields } of engine.forms()) {
    const place = furtherMethods.findIndex(({ id }) => id === method);
    /** The first one is chosen; everything else is a step of its own, after the first of this very sign-in was proved. */
    const page = (ctx: Context, wizard: Wizard, replaces: string | undefined): Record<string, unknown> => {
      const { uid } = wizard.interaction;
      const action = `${base(uid)}/set-up/${method}${replaces ? `/instead/${replaces}` : ''}`;
      if (!wizard.proved) return { ...locals(ctx, wizard, FIRST_STEPS), action, backHref: `${base(uid)}/set-up` };
      const isOptional = furtherMethods[place]?.inSetUp === 'optional';
      return {
        ...locals(ctx, wizard, FIRST_STEPS + place + 1),
        action,
        ...(isOptional ? { skip: { action: `${base(uid)}/set-up/skip`, method } } : {}),
      };
    };
    const openFor = async (ctx: Context, uid: string): Promise<Wizard | undefined> => {
      const wizard = await open(ctx, uid);
      if (wizard && (!mayEnrol(wizard) || (kind !== 'primary' && !wizard.proved))) {
        throw new AppError('ENROLMENT_NOT_PERMITTED', 'set-up is not open here');
      }
      return wizard;
    };

    const show = async (ctx: Context, uid: string, replaces?: string): Promise<void> => {
      const wizard = await openFor(ctx, uid);
      if (!wizard) return;
      if (wizard.proved && (place < 0 || replaces)) return seeOther(ctx, `${base(uid)}/set-up`);
      await enrolmentPage.show(ctx, wizard.actor.account, { method, replaces }, page(ctx, wizard, replaces));
    };

    const confirm = async (ctx: Context, evidence: Evidence, uid: string, replaces?: string): Promise<void> => {
      const wizard = await openFor(ctx, uid);
      if (!wizard) return;
      const { interaction, actor } = wizard;
      const wanted = { method, replaces };
      const enrolled = await enrolmentPage.confirm(ctx, actor.account, wanted, evidence, page(ctx, wizard, replaces));
      if (!enrolled) return;
      if (wizard.proved) {
        const next = await nextMethod(actor.account.id, wizard.proved);
        return next ? seeOther(ctx, `${base(uid)}/set-up/${next}`) : complete(ctx, wizard);
      }
      const ts = epochSeconds(clock);
      await standings.clearFirstEnrolment(actor.account.id);
      await endStandIns(deps, ctx, wizard, 'set_up');
      const first = interaction.lastSubmission?.first_factor;
      await interactions.keep(ctx, interaction, {
        ...(first ? { first_factor: { ...first, renewedAt: ts } } : {}),
        set_up: {
          accountId: actor.account.id,
          method,
          factorId: enrolled.factorId,
          level: enrolled.level,
          amr: enrolled.amr,
          ts,
        },
      });
      seeOther(ctx, `${base(uid)}/set-up`);
    };

    const path = `/second-factor/:uid/set-up/${method}`;
    pages.get(path, (ctx, { uid = '' }) => show(ctx, uid));
    pages.form(path, enrolmentFields, (ctx, evidence, { uid = '' }) => confirm(ctx, evidence, uid));
    if (engine.enrollable().find(({ id }) => id === method)?.maximumPerAccount === undefined) continue;
    pages.get(`${path}/instead/:id`, (ctx, { uid = '', id }) => show(ctx, uid, id));
    pages.form(`${path}/instead/:id`, enrolmentFields, (ctx, evidence, { uid = '', id }) =>
      confirm(ctx, evidence, uid, id),
    );
  }
}
