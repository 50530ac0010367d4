import { Agent, get, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Page extends Reply {
  url: URL;
}

interface Cookie {
  value: string;
  path: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/** One exchange over a kept connection: cheaper than `fetch`, since the driver shares its core with the database. */
export function send(
  url: URL,
  { form, json, headers = {} }: { form?: Record<string, string>; json?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const body = form ? new URLSearchParams(form).toString() : json;
  const bodyHeaders = body
    ? {
        'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
        'content-length': String(Buffer.byteLength(body)),
      }
    : {};
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: body ? 'POST' : 'GET', headers: { ...headers, ...bodyHeaders } });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    outgoing.end(body);
  });
}

const unescapeHtml = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
const attribute = (tag: string, name: string): string | undefined => {
  const [, value] = new RegExp(`\\s${name}="([^"]*)"`).exec(tag) ?? [];
  return value === undefined ? undefined : unescapeHtml(value);
};

/** As much of a browser as a sign-in needs: cookies by path, redirects within the issuer, forms with their hidden fields. */
export class Browser {
  readonly #cookies = new Map<string, Cookie>();

  constructor(readonly origin: string) {}

  open(url: URL): Promise<Page> {
    return this.#follow(url, {});
  }

  /**
   * Fills in the first form that has all the given fields.
   * @param until a page that a redirect names, and that is not opened yet.
   */
  async submit({ body, url }: Page, values: Record<string, string>, until?: RegExp): Promise<Page> {
    for (const [form] of body.matchAll(/<form[^>]*>[\s\S]*?<\/form>/g)) {
      const fields = [...form.matchAll(/<input[^>]*>/g)].map(([tag]) => tag);
      const names = fields.map((tag) => attribute(tag, 'name'));
      if (!Object.keys(values).every((name) => names.includes(name))) continue;
      const hidden = fields
        .filter((tag) => attribute(tag, 'type') === 'hidden')
        .map((tag) => [attribute(tag, 'name') ?? '', attribute(tag, 'value') ?? '']);
      const target = new URL(attribute(form, 'action') ?? '', url);
      return this.#follow(target, { form: { ...Object.fromEntries(hidden), ...values } }, until);
    }
    throw new Error(`no form with ${Object.keys(values).join(', ')} at ${url.pathname}`);
  }

  /** Sends the first form with this action, with its hidden fields; what is answered is not followed. */
  post({ body, url }: Page, action: RegExp): Promise<Reply> {
    for (const [form] of body.matchAll(/<form[^>]*>[\s\S]*?<\/form>/g)) {
      const target = new URL(attribute(form, 'action') ?? '', url);
      if (!action.test(target.pathname)) continue;
      const fields = [...form.matchAll(/<input[^>]*>/g)].map(([tag]) => tag);
      return this.#send(target, {
        form: Object.fromEntries(fields.map((tag) => [attribute(tag, 'name') ?? '', attribute(tag, 'value') ?? ''])),
      });
    }
    throw new Error(`no form for ${action} at ${url.pathname}`);
  }

  /** Listens as `EventSource` does. */
  listen(url: URL): Promise<IncomingMessage> {
    const headers = { accept: 'text/event-stream', cookie: this.#cookiesFor(url) };
    return new Promise((resolve, reject) => {
      get(url, { agent, headers }, (answer) => {
        if (answer.statusCode === 200) resolve(answer);
        else reject(new Error(`a page that listens got ${answer.statusCode}`));
      }).once('error', reject);
    });
  }

  async #follow(first: URL, options: { form?: Record<string, string> }, until?: RegExp): Promise<Page> {
    let url = first;
    let reply = await this.#send(url, options);
    while (reply.headers.location && reply.status >= 300 && reply.status < 400) {
      url = new URL(reply.headers.location, url);
      if (url.origin !== this.origin || until?.test(url.pathname)) return { ...reply, url };
      reply = await this.#send(url, {});
    }
    return { ...reply, url };
  }

  #cookiesFor(url: URL): string {
    return [...this.#cookies]
      .filter(([, { path }]) => path === '/' || url.pathname === path || url.pathname.startsWith(`${path}/`))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  }

  async #send(url: URL, { form }: { form?: Record<string, string> }): Promise<Reply> {
    const cookie = this.#cookiesFor(url);
    const reply = await send(url, {
      ...(form ? { form } : {}),
      headers: { accept: 'text/html', ...(cookie ? { cookie } : {}), ...(form ? { origin: this.origin } : {}) },
    });
    for (const line of reply.headers['set-cookie'] ?? []) this.keep(line);
    return reply;
  }

  /** @param line of a `Set-Cookie` header */
  keep(line: string): void {
    const [pair = '', ...flags] = line.split('; ');
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    const value = pair.slice(at + 1);
    const path = flags.find((flag) => flag.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
    if (value === '') this.#cookies.delete(name);
    else this.#cookies.set(name, { value, path });
  }
}
