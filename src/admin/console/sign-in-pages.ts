import { seeOther } from '../../http/index.js';
import type { Logger } from '../../platform/logger.js';
import type { Console } from './desk.js';
import { isProtocolError } from './relying-party.js';

/** Coming back from the issuer, and leaving. */
export function mountSignInPages({ pages, presenter, administrators, url }: Console, logger: Logger): void {
  pages.get('/console/signed-in', async (ctx) => {
    let arrival: Awaited<ReturnType<typeof administrators.arrive>>;
    try {
      arrival = await administrators.arrive(ctx);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      // Cancelled, refused, answered twice: the person can only start again, the log has the reason.
      logger.info({ requestId: ctx.state.requestId, reason: reasonOf(error) }, 'console sign-in not completed');
    }
    if (typeof arrival === 'object') return seeOther(ctx, arrival.to);
    const isRefused = arrival === 'refused' || ctx.query.error === 'unmet_authentication_requirements';
    presenter.show(
      ctx,
      'console/signed-out',
      { reason: isRefused ? 'unmet' : 'incomplete', signInHref: url('/console') },
      400,
    );
  });

  pages.form('/console/sign-out', {}, async (ctx) => {
    const to = await administrators.signOut(ctx);
    seeOther(ctx, to?.href ?? url('/console/signed-out'));
  });

  pages.get('/console/signed-out', async (ctx) =>
    presenter.show(ctx, 'console/signed-out', { reason: 'signed_out', signInHref: url('/console') }),
  );
}

/** What the issuer or the protocol's client calls it; never what it was about. */
function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  const { error: oauth, code, name } = error as { error?: unknown; code?: unknown; name?: unknown };
  return ([oauth, code, name].find((one) => typeof one === 'string') as string | undefined) ?? 'unknown';
}
