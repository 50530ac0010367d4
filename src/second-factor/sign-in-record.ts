import type { Context } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Audit } from '../audit/contract.js';
import { originOf } from '../http/index.js';
import { resultOf } from '../oidc/prompts/index.js';
import type { RecoveryDesk } from '../recovery-desk/contract.js';
import type { Sessions } from '../sessions/index.js';

/** What is written down once the provider has answered, before the answer leaves. */
export interface SignInRecord {
  after(ctx: KoaContextWithOIDC): Promise<void>;
}

export function createSignInRecord({
  sessions,
  audit,
  desk,
}: {
  sessions: Sessions;
  audit: Audit;
  desk: Pick<RecoveryDesk, 'used'>;
}): SignInRecord {
  /** What was proved in an accepted sign-in, once, however often its result comes along. */
  const noteSignIn = async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { oidc } = ctx;
    const result = oidc && resultOf(ctx);
    const { session, client } = oidc ?? {};
    if (!result?.login || !result.proof || !session?.accountId || !client || ctx.status >= 400) return;
    if (session.accountId !== result.login.accountId) return;
    const origin = originOf(ctx as unknown as Context);
    const { proof, login } = result;
    const isNew = await sessions.record({
      uid: session.uid,
      accountId: login.accountId,
      clientId: client.clientId,
      acr: login.acr,
      amr: login.amr,
      origin,
      ...(result.suspension ? { suspensionId: result.suspension.id } : {}),
      proof: {
        id: proof.id,
        ...(proof.method ? { at: new Date(proof.ts * 1000), method: proof.method } : {}),
      },
    });
    if (!isNew) return;
    if (result.suspension) {
      const context = { origin, clientId: client.clientId, sessionUid: session.uid };
      await desk.used(login.accountId, result.suspension, context);
    }
    await audit.record({
      type: 'authn_login_success',
      accountId: login.accountId,
      actor: { type: 'account', id: login.accountId },
      clientId: client.clientId,
      sessionUid: session.uid,
      origin,
      details: {
        acr: login.acr,
        amr: login.amr,
        ...(proof.method ? { method: proof.method } : {}),
        ...(proof.factorId ? { factorId: proof.factorId } : {}),
        ...(client.clientName ? { application: client.clientName } : {}),
      },
    });
  };

  /** A session that an application's logout has ended is none that the security page shows. */
  const noteSignOut = async (ctx: KoaContextWithOIDC): Promise<void> => {
    const session = ctx.oidc?.session as { uid: string; accountId?: string; destroyed?: boolean } | undefined;
    if (ctx.oidc?.route !== 'end_session_confirm' || !session?.destroyed || !session.accountId) return;
    await sessions.signedOut(session.accountId, session.uid, originOf(ctx as unknown as Context));
  };

  return {
    async after(ctx) {
      await noteSignIn(ctx);
      await noteSignOut(ctx);
    },
  };
}
