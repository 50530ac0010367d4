import { Browser } from '../support/browser.js';

/** Notes every address the server sends a browser to, and every error page. */
export class WatchedBrowser extends Browser {
  readonly addresses: string[] = [];
  readonly errorPages: string[] = [];
  override async request(...args: Parameters<Browser['request']>): ReturnType<Browser['request']> {
    const response = await super.request(...args);
    const location = response.headers.get('location');
    if (location) this.addresses.push(location);
    if (response.status >= 400) this.errorPages.push(response.html);
    return response;
  }
}
