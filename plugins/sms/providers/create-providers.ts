import { z } from 'zod';
import type { Clock } from '../../../src/platform/clock.js';
import type { Database } from '../../../src/platform/database.js';
import type { Finding } from '../../../src/platform/finding.js';
import type { Logger } from '../../../src/platform/logger.js';
import { createAbsences } from './absences.js';
import type { HttpSettings, ProviderSettings, TwilioSettings } from './config.js';
import { isLoopback } from './config.js';
import { createFailOver, type Sending, type SendingTerms } from './fail-over.js';
import { createHttpProvider } from './http-provider.js';
import { createOutboxProvider, type KeepText } from './outbox.js';
import type { Provider, TextMessage } from './provider.js';
import { createTwilioProvider } from './twilio.js';

export interface ProviderDeps {
  clock: Clock;
  database: Database;
  logger: Logger;
  /** Public, without a slash at the end, such as https://login.example.com/callbacks/sms; beneath it: provider and message. */
  callbackBase: string;
  /** Where texts of a provider of type `outbox` end. */
  keepText: KeepText;
  /** The secret in an environment variable. May throw, with a message that quotes no value. */
  secret(variable: string): string | undefined;
}

export interface Providers {
  /** See `createFailOver`. */
  send(message: TextMessage, terms?: SendingTerms): Promise<Sending>;
  /** Loads what the first message would wait for. */
  warmUp(): Promise<void>;
  /** Whose status callback came in at `<callbackBase>/<name>/<message id>`. */
  find(name: string): Provider | undefined;
}

/**
 * @throws ZodError with all secrets that are missing or unusable; paths are relative to the list, values are not quoted.
 */
export function createProviders(settings: readonly ProviderSettings[], deps: ProviderDeps): Providers {
  const made = makeProviders(settings, deps);
  const [first, ...others] = made;
  if (!first) throw new TypeError('providers: there is none');
  const send = createFailOver([first, ...others], { absences: createAbsences(deps), logger: deps.logger });
  const warmUp = async (): Promise<void> => {
    await Promise.all(made.map((provider) => provider.warmUp?.()));
  };
  return { send, warmUp, find: (name) => made.find((provider) => provider.name === name) };
}

/**
 * What each of them says about itself, in their order; nothing is sent.
 * @throws ZodError as `createProviders` does.
 */
export async function examineProviders(
  settings: readonly ProviderSettings[],
  secret: ProviderDeps['secret'],
): Promise<Finding[]> {
  const deps = { secret, callbackBase: 'http://localhost', keepText: async () => {} };
  const found = await Promise.all(
    makeProviders(settings, deps).map(async ({ name, examine }) =>
      ((await examine?.()) ?? []).map(({ level, what }) => ({ level, what: `${name}: ${what}` })),
    ),
  );
  return found.flat();
}

type MakerDeps = Pick<ProviderDeps, 'callbackBase' | 'keepText' | 'secret'>;

/** None is made before all of them can be. */
function makeProviders(settings: readonly ProviderSettings[], deps: MakerDeps): Provider[] {
  const problems: z.core.$ZodIssue[] = [];
  const makers = settings.map((one, index) => prepare(one, secretsAt(index, deps, problems), deps));
  if (problems.length > 0) throw new z.ZodError(problems);
  return makers.map((make) => make());
}

type ReadSecret = (variable: string, ...path: string[]) => string;

/** Notes what is wrong with a secret and goes on with an empty one, so that all problems are told at once. */
function secretsAt(index: number, { secret }: MakerDeps, problems: z.core.$ZodIssue[]): ReadSecret {
  return (variable, ...path) => {
    let message = `the environment variable ${variable} is not set`;
    try {
      const value = secret(variable);
      if (value && PRINTABLE.test(value)) return value;
      if (value) message = `what ${variable} holds must be printable characters of ASCII, without spaces at its ends`;
    } catch (error) {
      message = error instanceof Error ? error.message : String(error);
    }
    problems.push({ code: 'custom', path: [index, ...path], message, input: undefined });
    return '';
  };
}

/** Anything else cannot stand in a header. */
const PRINTABLE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

function prepare(settings: ProviderSettings, secret: ReadSecret, deps: MakerDeps): () => Provider {
  switch (settings.type) {
    case 'outbox':
      return () => createOutboxProvider(settings.name, deps.keepText);
    case 'http':
      return prepareHttp(settings, secret);
    case 'twilio':
      return prepareTwilio(settings, secret, deps);
  }
}

function prepareHttp(settings: HttpSettings, secret: ReadSecret): () => Provider {
  const plain: Record<string, string> = {};
  const secrets: Record<string, string> = {};
  for (const [header, value] of Object.entries(settings.headers))
    if (typeof value === 'string') plain[header] = value;
    else secrets[header] = value.prefix + secret(value.secret_env, 'headers', header, 'secret_env');
  return () => createHttpProvider(settings, plain, secrets);
}

function prepareTwilio(settings: TwilioSettings, secret: ReadSecret, { callbackBase }: MakerDeps): () => Provider {
  const { name, auth_token_env: tokenVariable, api_key_secret_env: keyVariable } = settings;
  const authToken = secret(tokenVariable, 'auth_token_env');
  const apiKeySecret = keyVariable ? secret(keyVariable, 'api_key_secret_env') : undefined;
  const callbackUrl = isReachable(settings, callbackBase)
    ? (messageId: string) => `${callbackBase}/${name}/${encodeURIComponent(messageId)}`
    : undefined;
  return () => createTwilioProvider(settings, { authToken, ...(apiKeySecret ? { apiKeySecret } : {}) }, callbackUrl);
}

/** Twilio refuses a message (21609) whose callback leads to the sender's own machine; a stand-in on that machine does not. */
function isReachable({ statusCallbacks, apiBase }: TwilioSettings, callbackBase: string): boolean {
  if (!statusCallbacks) return false;
  const isStandIn = apiBase !== undefined && isLoopback(new URL(apiBase));
  return isStandIn || !isLoopback(new URL(callbackBase));
}
