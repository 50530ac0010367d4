import { isIP } from 'node:net';
import { type PostOptions, post } from './post.js';
import { createPublicLookup, isPublicAddress, type Resolve } from './public-addresses.js';

/**
 * Posts to an address that a stranger may have named: never to one of this machine or of a network around it, by whatever name;
 * follows no redirect. See `post` for what comes back.
 * @param options.isAnywhere the operator wants this one reached wherever it is.
 */
export type PostOutside = (
  url: URL,
  body: Uint8Array,
  options: Omit<PostOptions, 'lookup'> & { isAnywhere?: boolean },
) => Promise<number>;

/** @param resolve what names lead to; the system's answer, unless a test knows better. */
export function createPostOutside(resolve?: Resolve): PostOutside {
  const lookup = createPublicLookup(resolve);
  return async (url, body, { isAnywhere = false, ...options }) => {
    if (isAnywhere) return post(url, body, options);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    // Nothing is looked up for an address in figures.
    if (isIP(host) !== 0 && !isPublicAddress(host))
      throw Object.assign(new Error('a private address'), { code: 'PRIVATE_ADDRESS' });
    return post(url, body, { ...options, lookup });
  };
}
