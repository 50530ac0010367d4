import type { Context } from 'koa';
import type { Account } from '../../accounts/contract.js';
import { AppError } from '../../errors.js';
import type { OwnRequest } from '../../recovery-desk/contract.js';
import { type Actor, actorOf } from '../actor.js';
import type { HostedPages } from '../hosted-pages.js';
import type { SignInInteraction } from '../interaction.js';
import { mayHaveOpenRequest } from '../stand-ins.js';

/** The request that this browser has sent, with as much of a sign-in as is still alive around it. */
export interface RequestHere {
  request: OwnRequest;
  account: Account;
  browserHash: string;
  interaction?: SignInInteraction;
  /** Who stands before the page; missing once the password is too old, or the sign-in gone. */
  actor?: Actor;
}

async function actorIfFresh(deps: HostedPages, ctx: Context, interaction: SignInInteraction) {
  try {
    return await actorOf(ctx, interaction, { ...deps, provider: deps.provider() });
  } catch (error) {
    if (error instanceof AppError && error.code === 'INTERACTION_ENDED') return undefined;
    throw error;
  }
}

/** By the browser's own cookie: the sign-in that it was sent from may be long over, or be another one. */
export async function requestHere(
  deps: HostedPages,
  ctx: Context,
  uid: string,
): Promise<RequestHere | { request?: undefined; actor?: Actor }> {
  const interaction = await deps.interactions.peek(ctx, uid, 'second_factor');
  const actor = interaction && (await actorIfFresh(deps, ctx, interaction));
  const accountId = actor?.account.id ?? interaction?.lastSubmission?.first_factor?.accountId;
  const browserHash = deps.recoveryCookie.hashOf(ctx);
  const request = browserHash && (await deps.desk.ofBrowser(accountId, browserHash));
  const account = request && (actor?.account ?? (await deps.accounts.find(request.accountId)));
  if (!account) return actor ? { actor } : {};
  return { request, account, browserHash, ...(interaction ? { interaction } : {}), ...(actor ? { actor } : {}) };
}

/** The open request of this browser for this account; asked for only where there can be one. */
export async function openRequestHere(
  deps: HostedPages,
  ctx: Context,
  account: Account,
): Promise<OwnRequest | undefined> {
  const browserHash = deps.recoveryCookie.hashOf(ctx);
  if (!browserHash || !mayHaveOpenRequest(await deps.standings.load(account), deps.clock)) return undefined;
  const request = await deps.desk.ofBrowser(account.id, browserHash);
  return request?.state === 'open' ? request : undefined;
}
