import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Context } from 'koa';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

/** The others are compressed already, or would not fit into fewer packets. */
const WORTH_BYTES = 512;

/** Best first. */
const ENCODERS = {
  br: (body: Buffer) =>
    promisify(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gzip: (body: Buffer) => promisify(gzip)(body, { level: constants.Z_BEST_COMPRESSION }),
} as const;
type Encoding = keyof typeof ENCODERS;
const ENCODINGS = Object.keys(ENCODERS) as Encoding[];

/** First part of a SHA-256, base64url. */
export const digestOf = (content: Buffer | string): string =>
  createHash('sha256').update(content).digest('base64url').slice(0, 16);

/** A file that everybody is given as it is. It stays in memory, and so does what it is compressed to when that is first asked for. */
export class StaticFile {
  readonly digest: string;
  readonly #compressed = new Map<Encoding, Promise<Buffer>>();

  private constructor(
    readonly body: Buffer,
    /** Value of `Content-Type`. */
    readonly type: string,
  ) {
    this.digest = digestOf(body);
  }

  /** Undefined: of no kind that is served. */
  static of(name: string, body: Buffer): StaticFile | undefined {
    const type = TYPES[extname(name).toLowerCase()];
    return type ? new StaticFile(body, type) : undefined;
  }

  /** What it can be: for whoever explains why it is none. */
  static readonly kinds = Object.keys(TYPES).join(', ');

  /** The answer to a GET or HEAD, or 304 where the browser has it. Whatever else the headers say is the caller's affair. */
  async serve(ctx: Context): Promise<void> {
    const isWorthIt = this.body.length > WORTH_BYTES && this.type !== TYPES['.png'];
    if (isWorthIt) ctx.vary('Accept-Encoding');
    const encoding = isWorthIt ? ENCODINGS.find((one) => ctx.acceptsEncodings(one)) : undefined;
    // Strong, so one for each form of it (RFC 9110 section 8.8.3.3).
    ctx.set('ETag', `"${this.digest}${encoding ? `-${encoding}` : ''}"`);
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    if (encoding) ctx.set('Content-Encoding', encoding);
    ctx.set('Content-Type', this.type);
    ctx.body = encoding ? await this.#in(encoding) : this.body;
  }

  #in(encoding: Encoding): Promise<Buffer> {
    const made = this.#compressed.get(encoding) ?? ENCODERS[encoding](this.body);
    this.#compressed.set(encoding, made);
    return made;
  }
}
