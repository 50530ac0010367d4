import Router from '@koa/router';
import type { Context } from 'koa';
import { AppError } from '../errors.js';
import { readBody } from './body.js';
import type { Csrf } from './csrf.js';
import { type FormFields, type FormValues, readForm } from './form.js';

/** Longest body of what another service posts, in bytes. */
const CALLBACK_LIMIT_BYTES = 16_384;

/** Longest body of a request to a method's API, in bytes. */
const API_LIMIT_BYTES = 16_384;

/** What a page's path holds, e.g. `{ uid }`. */
export type Params = Readonly<Record<string, string>>;
export type PageHandler = (ctx: Context, params: Params) => Promise<void>;
export type FormHandler<Fields extends FormFields> = (
  ctx: Context,
  form: FormValues<Fields>,
  params: Params,
) => Promise<void>;

/**
 * The only way to mount a page of ours: a form cannot be added without its fields being declared, its origin and CSRF
 * token checked and its body bounded. `forms` lists them all, for the test that attacks each.
 */
export class Pages {
  readonly #router: Router;
  /** First segments of all paths. */
  #segments: ReadonlySet<string> | undefined;
  readonly forms: { path: string; fields: FormFields }[] = [];

  /** @param basePath path of the issuer, without a slash at its end. */
  constructor(
    private readonly csrf: Csrf,
    private readonly basePath = '',
  ) {
    this.#router = new Router(basePath ? { prefix: basePath } : {});
  }

  get(path: string, handler: PageHandler): this {
    this.#router.get(path, async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      await handler(ctx as unknown as Context, ctx.params);
    });
    return this;
  }

  /** @param fields each field's longest value; a handler gets every one of them as a string. */
  form<Fields extends FormFields>(path: string, fields: Fields, handler: FormHandler<Fields>): this {
    this.forms.push({ path, fields });
    this.#router.post(path, async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      const { csrf, ...form } = await this.read(ctx as unknown as Context, fields);
      await handler(ctx as unknown as Context, form as unknown as FormValues<Fields>, ctx.params);
    });
    return this;
  }

  /**
   * What another service posts to us: no browser, no cookie, no token; the handler checks whose it is.
   * @param handler gets the body as text; what it returns is the status of the empty answer.
   */
  receive(path: string, handler: (ctx: Context, body: string, params: Params) => Promise<number>): this {
    this.#router.post(path, async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      const body = await readBody(ctx.req, CALLBACK_LIMIT_BYTES);
      const status = await handler(ctx as unknown as Context, body.toString('utf8'), ctx.params);
      ctx.body = null;
      ctx.status = status;
    });
    return this;
  }

  /**
   * What programs call instead of people, under `path`: no cookie, no token of a form; the handler checks whose each request is.
   * @param handler gets what follows `path`, and the body as text.
   */
  api(path: string, handler: (ctx: Context, rest: string, body: string) => Promise<void>): this {
    this.#router.register(`${path}/*rest`, ['GET', 'POST'], async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      const body = ctx.method === 'POST' ? (await readBody(ctx.req, API_LIMIT_BYTES)).toString('utf8') : '';
      await handler(ctx as unknown as Context, ctx.path.slice(ctx.path.indexOf(path) + path.length), body);
    });
    return this;
  }

  /** Whether a path is one of ours, by whatever method. */
  has(path: string): boolean {
    return this.#router.match(path, 'GET').path.length > 0;
  }

  /** All pages as one middleware; a known path with another method is 405. */
  routes(): (ctx: Context, next: () => Promise<void>) => Promise<void> {
    const dispatch = this.#router.routes() as unknown as (ctx: Context, next: () => Promise<void>) => Promise<void>;
    return (ctx, next) => {
      // The provider's endpoints are asked most: they need not be held against every page.
      if (!this.#mayHave(ctx.path)) return next();
      return dispatch(ctx, async () => {
        const methods = new Set(this.#router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods));
        if (methods.size === 0) return next();
        ctx.set('Allow', [...methods].join(', '));
        throw new AppError('METHOD_NOT_ALLOWED', 'page with other methods');
      });
    };
  }

  #mayHave(path: string): boolean {
    const segmentOf = (whole: string): string =>
      (whole.slice(this.basePath.length + 1).split('/', 1)[0] ?? '').toLowerCase();
    this.#segments ??= new Set(this.#router.stack.map((layer) => segmentOf(String(layer.path))));
    return this.#segments.has(segmentOf(path));
  }

  private async read(ctx: Context, fields: FormFields): Promise<Record<string, string>> {
    this.csrf.checkOrigin(ctx);
    const form = await readForm(ctx.req, { ...fields, csrf: 64 });
    this.csrf.checkToken(ctx, form.csrf ?? '');
    return form;
  }
}

/** 303, so that a reload repeats nothing. */
export function seeOther(ctx: Context, href: string): void {
  ctx.status = 303;
  ctx.redirect(href);
  ctx.status = 303;
}
