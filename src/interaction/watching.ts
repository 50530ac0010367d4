import type { Context } from 'koa';
import { AppError } from '../errors.js';
import type { Engine, SignIn } from '../factors/index.js';
import type { EventStreams } from '../http/index.js';

/** Milliseconds since the epoch, as text. */
const readInstant = (text: unknown): Date | undefined =>
  typeof text === 'string' && /^\d{1,15}$/.test(text) ? new Date(Number(text)) : undefined;

/**
 * Tells a page that waits for what happens elsewhere. It says what it has seen, so that nothing is missed between its making and its
 * listening.
 * @throws AppError PAGE_NOT_FOUND, OVERLOADED
 */
export async function watch(
  { engine, streams }: { engine: Engine; streams: EventStreams },
  ctx: Context,
  signIn: SignIn,
  method: string,
): Promise<void> {
  const since = readInstant(ctx.query.since);
  const watched = since && (await engine.watched(signIn, method));
  if (!since || !watched) throw new AppError('PAGE_NOT_FOUND', 'nothing to wait for');
  const stream = streams.open(ctx, signIn.cid);
  if (!stream) throw new AppError('OVERLOADED', 'too many pages of this sign-in listen', { retryAfterSeconds: 15 });
  const changed = (isAnswered: boolean): void => {
    stream.send('changed', isAnswered ? 'answered' : '');
    stream.end();
  };
  if (watched.changedAt.getTime() !== since.getTime()) return changed(watched.isAnswered);
  stream.onEnd(watched.onChange(since, changed));
}
