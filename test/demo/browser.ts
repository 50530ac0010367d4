/** A browser without pages: cookies by host and port's name space, redirects followed one by one. */
export class PlainBrowser {
  private readonly cookies = new Map<string, string>();
  /** Every address that was visited. */
  readonly visited: string[] = [];

  /** @param stopBefore goes no further than to an address that begins so */
  async open(
    url: string,
    form?: Record<string, string>,
    stopBefore?: string,
  ): Promise<{ status: number; url: string; text: string }> {
    let next = url;
    let body = form && new URLSearchParams(form);
    for (let hops = 0; hops < 20; hops += 1) {
      this.visited.push(next);
      const response = await fetch(next, {
        redirect: 'manual',
        method: body ? 'POST' : 'GET',
        headers: {
          Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body ? { Origin: new URL(next).origin } : {}),
        },
        ...(body ? { body } : {}),
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '') this.cookies.delete(name);
        else this.cookies.set(name, value);
      }
      const to = response.headers.get('location');
      if (!to || response.status < 300 || response.status > 399)
        return { status: response.status, url: next, text: await response.text() };
      next = new URL(to, next).href;
      if (stopBefore && next.startsWith(stopBefore)) return { status: response.status, url: next, text: '' };
      body = undefined;
    }
    throw new Error(`too many redirects, last to ${next}`);
  }
}
