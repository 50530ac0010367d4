import type { Context } from 'koa';
import { type Actor, actorOf } from './actor.js';
import type { HostedPages } from './hosted-pages.js';
import type { SignInInteraction } from './interaction.js';

export interface OpenStep {
  interaction: SignInInteraction;
  actor: Actor;
}

/**
 * The interaction of a page of the second step, and who stands before it; undefined when it was finished already.
 * @throws AppError as `Interactions.load` and `actorOf` do
 */
export async function openStep(deps: HostedPages, ctx: Context, uid: string): Promise<OpenStep | undefined> {
  const interaction = await deps.interactions.load(ctx, uid, 'second_factor');
  return interaction && { interaction, actor: await actorOf(ctx, interaction, { ...deps, provider: deps.provider() }) };
}
