/** A browser without JavaScript: path-aware cookies, forms as the page wrote them, redirects followed while they stay at the issuer. */
interface Cookie {
  name: string;
  value: string;
  path: string;
}

export interface Form {
  action: string;
  method: string;
  /** Hidden and prefilled fields by name. */
  values: Record<string, string>;
  /** Names of all fields and named buttons. */
  names: string[];
  html: string;
}

export interface Page {
  status: number;
  /** Where the redirects ended; the application's own URL when they left the issuer. */
  url: URL;
  html: string;
  headers: Headers;
  forms: Form[];
  title: string;
  h1: string;
  /** The page as words. */
  text: string;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const unescapeHtml = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => entities[name] ?? '');
const attribute = (tag: string, name: string): string | undefined => {
  const match = new RegExp(`\\s${name}(?:="([^"]*)")?(?=[\\s/>])`).exec(tag);
  return match ? unescapeHtml(match[1] ?? '') : undefined;
};

function formsOf(html: string, url: URL): Form[] {
  return [...html.matchAll(/<form[^>]*>[\s\S]*?<\/form>/g)].map(([form]) => {
    const open = /<form[^>]*>/.exec(form)?.[0] ?? '';
    const values: Record<string, string> = {};
    const names: string[] = [];
    for (const [tag] of form.matchAll(/<(?:input|button|textarea|select)\b[^>]*>/g)) {
      const name = attribute(tag, 'name');
      if (!name) continue;
      names.push(name);
      if (tag.startsWith('<input') && !['radio', 'checkbox', 'submit'].includes(attribute(tag, 'type') ?? '')) {
        values[name] = attribute(tag, 'value') ?? '';
      }
    }
    return {
      action: new URL(attribute(open, 'action') ?? '', url).href,
      method: (attribute(open, 'method') ?? 'get').toUpperCase(),
      values,
      names,
      html: form,
    };
  });
}

const words = (html: string): string =>
  unescapeHtml(html.replace(/<(script|style|svg)[\s\S]*?<\/\1>/g, ' ').replace(/<[^>]+>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();

export class Browser {
  #jar: Cookie[] = [];
  /** Extra headers of every request. */
  headers: Record<string, string> = {};

  constructor(readonly issuer: string) {}

  cookie(name: string): string | undefined {
    return this.#jar.find((cookie) => cookie.name === name)?.value;
  }

  cookies(): readonly Cookie[] {
    return this.#jar;
  }

  setCookie(name: string, value: string, path = '/'): void {
    this.#jar = [...this.#jar.filter((cookie) => cookie.name !== name || cookie.path !== path), { name, value, path }];
  }

  clearCookie(name: string): void {
    this.#jar = this.#jar.filter((cookie) => cookie.name !== name && cookie.name !== `${name}.sig`);
  }

  /** A copy with the same cookies: a second tab that goes its own way. */
  clone(): Browser {
    const copy = new Browser(this.issuer);
    copy.#jar = [...this.#jar];
    return copy;
  }

  /** One request, redirects not followed. */
  async request(
    url: string | URL,
    init: {
      method?: string;
      form?: Record<string, string>;
      body?: string | Buffer;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Response & { html: string }> {
    const target = new URL(url);
    const matching = this.#jar.filter(
      ({ path }) => target.pathname === path || target.pathname.startsWith(path.endsWith('/') ? path : `${path}/`),
    );
    const isPost = (init.method ?? 'GET') !== 'GET';
    const body = init.form ? new URLSearchParams(init.form).toString() : init.body;
    const response = await fetch(target, {
      method: init.method ?? 'GET',
      redirect: 'manual',
      headers: {
        accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        'accept-language': 'en',
        ...(matching.length > 0 ? { cookie: matching.map(({ name, value }) => `${name}=${value}`).join('; ') } : {}),
        ...(isPost ? { origin: new URL(this.issuer).origin, 'content-type': 'application/x-www-form-urlencoded' } : {}),
        ...this.headers,
        ...init.headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return Object.assign(response, { html: await response.text() });
  }

  async open(url: string | URL): Promise<Page> {
    return this.#follow(new URL(url, this.issuer), await this.request(new URL(url, this.issuer)));
  }

  /** Submits a form of the page: by default the first one that has all the given fields. */
  async submit(page: Page, values: Record<string, string> = {}, action?: string | RegExp): Promise<Page> {
    const form = page.forms.find(
      (candidate) =>
        (action === undefined ||
          (typeof action === 'string' ? candidate.action.endsWith(action) : action.test(candidate.action))) &&
        Object.keys(values).every((name) => candidate.names.includes(name)),
    );
    if (!form)
      throw new Error(
        `no form with ${Object.keys(values)} ${action ?? ''} on "${page.title}": ${page.text.slice(0, 300)}`,
      );
    const target = new URL(form.action);
    return this.#follow(target, await this.request(target, { method: 'POST', form: { ...form.values, ...values } }));
  }

  async #follow(from: URL, first: Response & { html: string }): Promise<Page> {
    let response = first;
    let url = from;
    for (let hops = 0; hops < 12; hops += 1) {
      const location = response.headers.get('location');
      if (!location || response.status < 300 || response.status > 399) break;
      url = new URL(location, url);
      if (url.origin !== new URL(this.issuer).origin) {
        return {
          status: response.status,
          url,
          html: '',
          headers: response.headers,
          forms: [],
          title: '',
          h1: '',
          text: '',
        };
      }
      response = await this.request(url);
    }
    const { html } = response;
    return {
      status: response.status,
      url,
      html,
      headers: response.headers,
      forms: formsOf(html, url),
      title: words(/<title>([\s\S]*?)<\/title>/.exec(html)?.[1] ?? ''),
      h1: words(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(html)?.[1] ?? ''),
      text: words(html),
    };
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/);
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    const value = pair.slice(at + 1);
    const flags = Object.fromEntries(
      attributes.map((text) => {
        const [key = '', flag = ''] = text.split('=');
        return [key.toLowerCase(), flag];
      }),
    );
    const path = flags.path || '/';
    // Taken back, as of 1970; a server whose clock is the test's may send any other date.
    const isGone = value === '' || (flags.expires && new Date(flags.expires).getFullYear() === 1970);
    this.#jar = this.#jar.filter((cookie) => cookie.name !== name || cookie.path !== path);
    if (!isGone) this.#jar.push({ name, value, path });
  }
}
