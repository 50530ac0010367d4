import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'koa';
import { errors, type Interaction, type Provider } from 'oidc-provider';
import { AppError } from '../errors.js';
import type { Catalogue, CookieSettings } from '../http/index.js';
import { seeOther, stateOf } from '../http/index.js';
import { FIRST_FACTOR_TTL_SECONDS, type SignInResult } from '../oidc/prompts/index.js';
import type { StartedSignIns } from './started.js';

export type PromptName = 'login' | 'second_factor' | 'consent';

/** First path segment of each prompt's pages; the interaction's cookie is limited to it. */
export const PROMPT_PATHS: Record<PromptName, string> = {
  login: 'sign-in',
  second_factor: 'second-factor',
  consent: 'consent',
};

/** An interaction with the fields the library keeps but does not declare. */
export type SignInInteraction = Interaction & { cid: string; result?: SignInResult; lastSubmission?: SignInResult };

/** Opens and closes interactions for all hosted pages: one place for "is it this one, is it still alive, is it done?". */
export interface Interactions {
  /**
   * The interaction of this page, or undefined when it was finished already (a second submit): then the answer is on its way.
   * @throws AppError INTERACTION_ENDED, INTERACTION_FOREIGN
   */
  load(ctx: Context, uid: string, prompt: PromptName): Promise<SignInInteraction | undefined>;
  /** The same while it is alive and unfinished; undefined else, for a page that outlives it. @throws AppError INTERACTION_FOREIGN */
  peek(ctx: Context, uid: string, prompt: PromptName): Promise<SignInInteraction | undefined>;
  /** Stores the result and sends the browser on. */
  finish(ctx: Context, interaction: SignInInteraction, result: SignInResult): Promise<void>;
  /**
   * A right password starts the sign-in over: what somebody proved earlier in the same request counts no more. Merged with it,
   * the password alone would sign in again whoever was signed in before.
   */
  startOver(ctx: Context, interaction: SignInInteraction, result: SignInResult): Promise<void>;
  /** Stores a partial result without going on; the interaction, its cookies and the password start their time anew. */
  keep(ctx: Context, interaction: SignInInteraction, partial: SignInResult): Promise<void>;
  /** Keeps it alive for somebody who waits; what was proved in it ages all the same. */
  hold(ctx: Context, interaction: SignInInteraction, seconds: number): Promise<void>;
  /** Cancels: the application gets `access_denied`. */
  cancel(ctx: Context, interaction: SignInInteraction): Promise<void>;
  /** The interaction loaded by this request already, or the one of its cookie: for a host's own login page. */
  current(ctx: Context): Promise<SignInInteraction>;
  /** Sets the name that titles and error pages show. */
  nameApplication(ctx: Context, clientId: string | undefined): Promise<void>;
  /**
   * Sends the browser on when this interaction was finished meanwhile; false when it was not.
   * @param withinMs how long to wait for another request that is finishing it.
   */
  resumeIfFinished(ctx: Context, uid: string, prompt: PromptName, withinMs: number): Promise<boolean>;
}

const LOOK_AGAIN_MS = 100;

export function createInteractions(deps: {
  provider(): Provider;
  started: StartedSignIns;
  catalogue: Pick<Catalogue, 'pickLocale'>;
  cookies: CookieSettings;
  url(path: string): string;
  /** Else a request that waits for another one would see what it has read already, again and again. */
  lookAgain(): void;
}): Interactions {
  const { provider, started, cookies, url } = deps;

  /** OpenID Connect Core 3.1.2.1: the application's wish holds for all pages of its sign-in. */
  const followUiLocales = (ctx: Context, uiLocales: unknown): void => {
    const state = stateOf(ctx);
    if (typeof uiLocales !== 'string' || state.isLocaleChosen) return;
    state.locale = deps.catalogue.pickLocale({ uiLocales, acceptLanguage: ctx.get('accept-language') });
  };

  const nameApplication = async (ctx: Context, clientId: string | undefined): Promise<void> => {
    const client = clientId ? await provider().Client.find(clientId) : undefined;
    if (!client) return;
    const href = client.initiateLoginUri ?? client.clientUri;
    stateOf(ctx).application = { name: client.clientName ?? client.clientId, ...(href ? { href } : {}) };
  };

  const find = async (ctx: Context, uid: string): Promise<SignInInteraction> => {
    let interaction: SignInInteraction;
    try {
      interaction = (await provider().interactionDetails(ctx.req, ctx.res)) as unknown as SignInInteraction;
    } catch (cause) {
      if (!(cause instanceof errors.SessionNotFound)) throw cause;
      await nameApplication(ctx, started.clientOf(ctx, uid));
      throw new AppError('INTERACTION_ENDED', 'no live interaction', { cause });
    }
    if (interaction.uid !== uid)
      throw new AppError('INTERACTION_FOREIGN', 'cookie and path name different interactions');
    return interaction;
  };

  const save = async (interaction: SignInInteraction, result: SignInResult, ttl?: number): Promise<void> => {
    interaction.result = { ...interaction.lastSubmission, ...interaction.result, ...result } as never;
    await (ttl ? interaction.save(ttl) : interaction.persist());
  };

  /** The library gives its two cookies the interaction's first lifetime only. */
  const renewCookies = (ctx: Context, { uid, prompt, returnTo }: SignInInteraction, seconds: number): void => {
    const paths = {
      interaction: url(`/${PROMPT_PATHS[prompt.name as PromptName]}/${uid}`),
      resume: new URL(returnTo).pathname,
    };
    for (const name of ['interaction', 'resume'] as const) {
      const options = { ...cookies.options, path: paths[name], maxAge: seconds * 1000 };
      ctx.cookies.set(provider().cookieName(name), uid, options);
    }
  };

  /** Replaces whatever was proved before, and sends the browser on. */
  const replace = async (ctx: Context, interaction: SignInInteraction, result: SignInResult): Promise<void> => {
    interaction.result = { ...result, done: interaction.uid } as never;
    await interaction.persist();
    seeOther(ctx, interaction.returnTo);
  };

  return {
    nameApplication,
    startOver: replace,
    current: async (ctx) =>
      (ctx.state.interaction as SignInInteraction | undefined) ??
      ((await provider().interactionDetails(ctx.req, ctx.res)) as unknown as SignInInteraction),
    async load(ctx, uid, prompt) {
      const interaction = await find(ctx, uid);
      ctx.state.interaction = interaction;
      if (interaction.prompt.name !== prompt) throw new AppError('INTERACTION_FOREIGN', 'page of another step');
      followUiLocales(ctx, interaction.params.ui_locales);
      await nameApplication(ctx, String(interaction.params.client_id));
      if (interaction.result?.done !== uid) return interaction;
      seeOther(ctx, interaction.returnTo);
      return undefined;
    },
    async peek(ctx, uid, prompt) {
      try {
        const interaction = await find(ctx, uid);
        if (interaction.prompt.name !== prompt || interaction.result?.done === uid) return undefined;
        followUiLocales(ctx, interaction.params.ui_locales);
        await nameApplication(ctx, String(interaction.params.client_id));
        return interaction;
      } catch (error) {
        if (error instanceof AppError && error.code === 'INTERACTION_ENDED') return undefined;
        throw error;
      }
    },
    async finish(ctx, interaction, result) {
      await save(interaction, { ...result, done: interaction.uid });
      seeOther(ctx, interaction.returnTo);
    },
    async keep(ctx, interaction, partial) {
      await save(interaction, partial, FIRST_FACTOR_TTL_SECONDS);
      renewCookies(ctx, interaction, FIRST_FACTOR_TTL_SECONDS);
    },
    async hold(ctx, interaction, seconds) {
      await interaction.save(seconds);
      renewCookies(ctx, interaction, seconds);
    },
    cancel: (ctx, interaction) =>
      replace(ctx, interaction, { error: 'access_denied', error_description: 'sign-in was cancelled' }),
    async resumeIfFinished(ctx, uid, prompt, withinMs) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        deps.lookAgain();
        const interaction = await find(ctx, uid);
        if (interaction.prompt.name !== prompt) return false;
        if (interaction.result?.done === uid) {
          seeOther(ctx, interaction.returnTo);
          return true;
        }
        if (performance.now() >= deadline) return false;
        await sleep(LOOK_AGAIN_MS);
      }
    },
  };
}
