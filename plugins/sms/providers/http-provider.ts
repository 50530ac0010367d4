import type { HttpSettings } from './config.js';
import { connectionTrouble } from './connection-trouble.js';
import type { HandOver, Provider, TextMessage } from './provider.js';
import { fill } from './template.js';

/** Of an answer no more is read. */
const ANSWER_BYTES = 64 * 1024;
/** How long it may take to say that it is there. */
const EXAMINED_WITHIN_MS = 5_000;
/** Nobody's id of a message is longer. */
const ID_CHARACTERS = 200;

/**
 * A provider that takes a message in one HTTP request, described in the configuration.
 * @param headers templates, by name.
 * @param secretHeaders sent as they are: a brace in a secret is a brace.
 */
export function createHttpProvider(
  settings: HttpSettings,
  headers: Readonly<Record<string, string>>,
  secretHeaders: Readonly<Record<string, string>>,
): Provider {
  const { name, url, method, success, messageIdPath, timeoutMs } = settings;
  return {
    name,
    async examine() {
      try {
        // Neither number nor secret: whoever answers is there, under its name and with its certificate.
        const response = await fetch(url, {
          method: 'OPTIONS',
          redirect: 'manual',
          signal: AbortSignal.timeout(EXAMINED_WITHIN_MS),
        });
        void response.body?.cancel().catch(() => undefined);
        return [{ level: 'ok', what: 'it answers; whether it takes us shows when a message is sent' }];
      } catch (error) {
        const { code } = connectionTrouble(error);
        return [
          { level: 'error', what: `cannot be reached from here (${code}): is the url right, may the server out?` },
        ];
      }
    },
    async send(message) {
      const signal = AbortSignal.timeout(timeoutMs);
      let response: Response;
      try {
        response = await fetch(url, {
          method,
          headers: { ...fill(headers, message), ...secretHeaders, ...bodyType(settings) },
          body: bodyOf(settings, message),
          // A redirect would carry number and text to somebody whom nobody has chosen.
          redirect: 'manual',
          signal,
        });
      } catch (error) {
        return explain(error);
      }
      // What is not read has to be let go of, else its connection stays taken.
      if (!success.includes(response.status) || !messageIdPath) void response.body?.cancel().catch(() => undefined);
      if (!success.includes(response.status)) return refusal(response.status);
      const id = messageIdPath ? await idIn(response, messageIdPath) : undefined;
      return { status: 'accepted', ...(id ? { providerMessageId: id } : {}) };
    },
  };
}

const bodyType = ({ body }: HttpSettings): Record<string, string> => ({
  'content-type': 'json' in body ? 'application/json' : 'application/x-www-form-urlencoded',
});

const bodyOf = ({ body }: HttpSettings, message: TextMessage): string =>
  'json' in body ? JSON.stringify(fill(body.json, message)) : new URLSearchParams(fill(body.form, message)).toString();

/** A client's error message may hold what was sent: its code alone leaves this function. */
function explain(error: unknown): HandOver {
  const { code, isBeforeSending } = connectionTrouble(error);
  return isBeforeSending
    ? { status: 'refused', reason: 'provider_trouble', code, isAboutNumber: false }
    : { status: 'unknown', code };
}

/** RFC 9110 section 15.6: behind 500, 502 and 504 the message may have been taken; the others say that it was not. */
const UNSURE = new Set([500, 502, 504]);

function refusal(status: number): HandOver {
  const code = `HTTP_${status}`;
  return UNSURE.has(status)
    ? { status: 'unknown', code }
    : { status: 'refused', reason: 'provider_trouble', code, isAboutNumber: false };
}

/** The message was taken whatever the answer looks like: one that cannot be read has no id. */
async function idIn(response: Response, path: string): Promise<string | undefined> {
  try {
    let value: unknown = JSON.parse(await readBounded(response));
    for (const step of path.split('.')) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = (value as Record<string, unknown>)[step];
    }
    const id = typeof value === 'number' ? String(value) : value;
    return typeof id === 'string' && id.length <= ID_CHARACTERS ? id : undefined;
  } catch {
    return undefined;
  }
}

async function readBounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of body ?? []) {
    received += chunk.length;
    // Leaving the loop lets go of the rest.
    if (received > ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
