import { isIP, type LookupFunction } from 'node:net';
import { isLoopback } from '../config/index.js';
import { createPublicLookup, isPublicAddress, type Resolve } from '../platform/public-addresses.js';
import { type UrlProblem, WEBHOOK_URL_LENGTH } from './contract.js';

/** A host of a URL without the brackets of RFC 3986 section 3.2.2. */
const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

export interface AddressRules {
  problemOf(url: string): UrlProblem | undefined;
  /** How the name of a URL is resolved for a connection; undefined: as ever, the operator wants it reached wherever it is. */
  lookupFor(url: URL): LookupFunction | undefined;
}

/** @param options.privateOrigins of the configuration. */
export function createAddressRules(options: {
  issuer: string;
  privateOrigins: readonly string[];
  resolve?: Resolve;
}): AddressRules {
  const trusted = new Set(options.privateOrigins);
  const isAtHome = isLoopback(new URL(options.issuer));
  const isTrusted = (url: URL): boolean => trusted.has(url.origin) || (isAtHome && isLoopback(url));
  const publicLookup = createPublicLookup(options.resolve);
  return {
    lookupFor: (url) => (isTrusted(url) ? undefined : publicLookup),
    problemOf(text) {
      if (text.length > WEBHOOK_URL_LENGTH || !URL.canParse(text)) return 'malformed';
      const url = new URL(text);
      if (!/^https?:$/.test(url.protocol) || url.hash !== '') return 'malformed';
      if (url.username !== '' || url.password !== '') return 'has_credentials';
      if (isTrusted(url)) return undefined;
      if (url.protocol !== 'https:') return 'not_https';
      const host = bare(url.hostname);
      return isLoopback(url) || (isIP(host) !== 0 && !isPublicAddress(host)) ? 'private_address' : undefined;
    },
  };
}
