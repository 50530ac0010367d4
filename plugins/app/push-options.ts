import { z } from 'zod';

const isLoopback = ({ hostname }: URL): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);

const hostPattern = z
  .string()
  .regex(/^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*$/, 'must be a host name or *.name');

const privateOrigin = z
  .url()
  .refine((text) => new URL(text).origin === text, 'must be an origin, such as https://push.example.com')
  .refine((text) => {
    const url = new URL(text);
    return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));
  }, 'must begin with https://');

/** Options of `push` of `- id: app`. */
export const pushOptions = z.strictObject({
  /** Whom the push services can write to (RFC 8292 section 2.1); the issuer when absent. */
  contact: z
    .string()
    .regex(/^(?:mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/, 'must be mailto:someone@example.com or begin with https://')
    .optional(),
  /** Push services besides those of Google, Mozilla, Apple and Microsoft. */
  hosts: z.array(hostPattern).default([]),
  /** Push services in a network of one's own: reached wherever they are. */
  privateOrigins: z.array(privateOrigin).default([]),
});

export type PushOptions = z.output<typeof pushOptions>;

/** Those of Chrome and Edge on Android, of Firefox, of Safari, of Edge on Windows. */
const KNOWN_HOSTS = [
  'fcm.googleapis.com',
  'updates.push.services.mozilla.com',
  '*.push.services.mozilla.com',
  '*.push.apple.com',
  '*.notify.windows.com',
];

const ENDPOINT_LENGTH = 2_000;

/** Where phones may have messages sent to: a phone names the address, and could name any. */
export function createPushAddresses({ hosts, privateOrigins }: Pick<PushOptions, 'hosts' | 'privateOrigins'>) {
  const patterns = [...KNOWN_HOSTS, ...hosts];
  const isPrivate = (url: URL): boolean => privateOrigins.includes(url.origin);
  const isKnown = ({ hostname }: URL): boolean =>
    patterns.some((pattern) => (pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : hostname === pattern));
  return {
    isPrivate,
    /** The address, when messages may go there. */
    read(endpoint: string): URL | undefined {
      if (endpoint.length > ENDPOINT_LENGTH || !URL.canParse(endpoint)) return undefined;
      const url = new URL(endpoint);
      if (url.username !== '' || url.password !== '' || url.hash !== '') return undefined;
      if (isPrivate(url)) return url;
      return url.protocol === 'https:' && url.port === '' && isKnown(url) ? url : undefined;
    },
  };
}
