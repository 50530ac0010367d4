import { createHash, randomBytes } from 'node:crypto';
import { CompactSign } from 'jose';
import { send } from '../browser.js';
import type { BenchPhone } from './people.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** The nonce of the present minute is the same for all phones: an app that is open has it already. */
let nonce: string | undefined;

interface Waiting {
  id: string;
  details: string;
}

/** A phone at one server, as `docs/app-protocol.md` describes it. */
export class Phone {
  constructor(
    private readonly issuer: string,
    private readonly origin: string,
    private readonly phone: BenchPhone,
  ) {}

  /** What waits for this phone, the newest last. */
  async waiting(): Promise<Waiting[]> {
    const { challenges } = await this.#post('/challenges', {});
    return challenges as Waiting[];
  }

  /** The answer, signed but not sent: signing is the phone's work and not what is measured. */
  async approval({ id, details }: Waiting, number: string): Promise<() => Promise<void>> {
    const claims = { aud: this.issuer, challenge: id, decision: 'approve', number, shown: sha256(details) };
    const answer = await this.#sign('countersign-approval+jwt', claims);
    return async () => {
      await this.#post(`/challenges/${id}/answer`, { answer });
    };
  }

  async #post(path: string, content: object, isRepeated = false): Promise<Record<string, unknown>> {
    const json = JSON.stringify(content);
    const signature = await this.#sign('countersign-request+jwt', {
      aud: this.issuer,
      htm: 'POST',
      htu: `${this.issuer}/device/v1${path}`,
      bh: sha256(json),
      nonce,
      jti: randomBytes(16).toString('base64url'),
    });
    const { status, headers, body } = await send(new URL(`/device/v1${path}`, this.origin), {
      json,
      // Whichever server it is sent to.
      headers: { 'device-signature': signature, host: new URL(this.issuer).host },
    });
    nonce = String(headers['device-nonce']);
    if (status === 401 && !isRepeated) return this.#post(path, content, true);
    if (status !== 200) throw new Error(`a phone got ${status}: ${body}`);
    return JSON.parse(body) as Record<string, unknown>;
  }

  #sign(typ: string, claims: object): Promise<string> {
    return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'ES256', typ, kid: this.phone.deviceId })
      .sign(this.phone.privateKey);
  }
}
