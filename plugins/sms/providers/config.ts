import { z } from 'zod';
import { placeholdersOf, type Template } from './template.js';

/** Whether a URL stays on this machine: RFC 6761 section 6.3, 127.0.0.0/8 and ::1. */
export const isLoopback = (url: URL): boolean =>
  /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);

const problem = (context: z.core.$RefinementCtx, message: string, path: PropertyKey[] = []): void => {
  context.addIssue({ code: 'custom', message, path });
};

/** Numbers, texts and secrets go there. */
const webUrl = z.string().superRefine((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) return problem(context, 'must be an https URL');
  if (url.username || url.password) problem(context, 'must have no user name and no password');
  if (url.hash) problem(context, 'must have no fragment');
  if (url.protocol !== 'https:' && !isLoopback(url))
    problem(context, 'must be https: plain http is for localhost only');
});

const variableName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, 'must name an environment variable, such as TWILIO_AUTH_TOKEN');

const sid = (prefix: string, what: string) =>
  z.string().regex(new RegExp(`^${prefix}[0-9a-fA-F]{32}$`), `must be ${what}: ${prefix} and 32 hexadecimal digits`);

/** Stands in the path of status callbacks, in reports and in logs. */
const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'must be lower case letters, digits and hyphens, 32 at most');

const timeoutMs = z.int().min(100).max(15_000).default(5_000);

const twilio = z
  .strictObject({
    name,
    type: z.literal('twilio'),
    accountSid: sid('AC', 'an account SID'),
    /** Also needed beside an API key: Twilio signs its callbacks with it. */
    auth_token_env: variableName,
    apiKeySid: sid('SK', 'the SID of an API key').optional(),
    api_key_secret_env: variableName.optional(),
    /** A number in E.164 form, a short code, or a name of up to 11 letters and digits. */
    from: z
      .string()
      .regex(
        /^(?:\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11})$/,
        'must be a number such as +4930123456, a short code, or a name of up to 11 letters and digits',
      )
      .optional(),
    messagingServiceSid: sid('MG', 'the SID of a messaging service').optional(),
    /** Of a region, such as https://api.dublin.ie1.twilio.com, or of a stand-in. */
    apiBase: webUrl.optional(),
    /** False where Twilio cannot reach this server: nobody then hears whether a message arrived. */
    statusCallbacks: z.boolean().default(true),
    timeoutMs,
  })
  .superRefine((settings, context) => {
    if (!settings.from && !settings.messagingServiceSid)
      problem(context, 'is missing: from or messagingServiceSid', ['from']);
    if (settings.from && settings.messagingServiceSid)
      problem(context, 'stands beside from: remove one of them', ['messagingServiceSid']);
    if (settings.apiKeySid && !settings.api_key_secret_env)
      problem(context, 'is missing: the API key needs its secret', ['api_key_secret_env']);
    if (!settings.apiKeySid && settings.api_key_secret_env)
      problem(context, 'is missing: the secret belongs to an API key', ['apiKeySid']);
  });

const headerText = z.string().regex(/^[\x20-\x7e]*$/, 'must be printable characters of ASCII');

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^`|~\w-]+$/, 'must be the name of a header')
  .refine((header) => !/^(?:content-type|content-length|transfer-encoding|host|connection)$/i.test(header), {
    error: 'is set by Countersign',
  });

const http = z
  .strictObject({
    name,
    type: z.literal('http'),
    url: webUrl,
    method: z.enum(['POST', 'PUT']).default('POST'),
    headers: z
      .record(
        headerName,
        z.union([headerText, z.strictObject({ secret_env: variableName, prefix: headerText.default('') })], {
          error: 'must be a text, or secret_env with a prefix',
        }),
      )
      .default({}),
    body: z.union(
      [z.strictObject({ json: z.json() }), z.strictObject({ form: z.record(z.string().min(1), z.string()) })],
      {
        error: 'must be json or form, with a template',
      },
    ),
    /** Answers with one of these took the message. */
    success: z.array(z.int().min(200).max(299)).min(1).default([200, 201, 202]),
    /** Where the provider's own id stands in its JSON answer, such as messages.0.id. */
    messageIdPath: z
      .string()
      .regex(/^[^.]+(?:\.[^.]+)*$/, 'must be names with dots between, such as messages.0.id')
      .optional(),
    timeoutMs,
  })
  .superRefine(({ url, headers, body }, context) => {
    // URLs end in the logs of everything on the way.
    if (placeholdersOf(decoded(url)).known.size > 0)
      problem(context, 'must hold no placeholder: what is in a URL ends in logs', ['url']);
    for (const [header, value] of Object.entries(headers)) {
      if (typeof value !== 'string') continue;
      const { known } = placeholdersOf(value);
      if ([...known].some((placeholder) => placeholder !== 'id'))
        problem(context, 'must hold no placeholder but {id}', ['headers', header]);
    }
    const kind = 'json' in body ? 'json' : 'form';
    const { known, unknown } = placeholdersOf(('json' in body ? body.json : body.form) as Template);
    if (!known.has('to') && !known.has('toDigits')) problem(context, 'must hold the placeholder {to}', ['body', kind]);
    if (!known.has('text')) problem(context, 'must hold the placeholder {text}', ['body', kind]);
    if (unknown.length > 0)
      problem(context, 'has a placeholder that is none of {to}, {toDigits}, {text}, {id}', ['body', kind]);
  });

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}

/** Shorter than the time after which the outbox believes that whoever has a message in hand is dead. */
const LONGEST_MS = 15_000;

const outbox = z.strictObject({ name, type: z.literal('outbox') });

/** The setting `providers`: who carries text messages, in the order in which they are asked. */
export const providersSchema = z
  .array(z.discriminatedUnion('type', [twilio, http, outbox], { error: 'must be twilio, http or outbox' }))
  .min(1)
  .superRefine((providers, context) => {
    providers.forEach((provider, index) => {
      if (providers.findIndex((other) => other.name === provider.name) < index)
        problem(context, 'is the name of another provider', [index, 'name']);
    });
    const longestMs = providers.reduce((sum, one) => sum + (one.type === 'outbox' ? 0 : one.timeoutMs), 0);
    if (longestMs > LONGEST_MS)
      problem(
        context,
        `must have timeouts of ${LONGEST_MS / 1000} seconds together, at most: another node would take over`,
      );
  });

export type ProviderSettings = z.output<typeof providersSchema>[number];
export type TwilioSettings = Extract<ProviderSettings, { type: 'twilio' }>;
export type HttpSettings = Extract<ProviderSettings, { type: 'http' }>;
