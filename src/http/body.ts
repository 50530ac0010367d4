import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.js';

/**
 * The bytes of a request's body. The connection stays open when it is refused, so that the answer still arrives.
 * @param limit bytes.
 * @throws AppError REQUEST_TOO_LARGE, REQUEST_MALFORMED when the sender hung up
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const refuse = (why: string): AppError => {
    request.resume();
    return new AppError('REQUEST_TOO_LARGE', why);
  };
  if (Number(request.headers['content-length'] ?? 0) > limit) throw refuse('declared length over the limit');
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw refuse('body over the limit');
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('REQUEST_MALFORMED', 'body broken off', { cause });
  }
  return Buffer.concat(chunks);
}
