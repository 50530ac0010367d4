import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import { importJWK, type JWK, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
import type { Page, Route } from 'playwright-core';

export interface WaitingSignIn {
  id: string;
  number: string;
  details: Record<string, string>;
  triesLeft: number;
  expiresAt: Date;
}

const problem = (code: string, more: object = {}) => ({ code, title: code, ...more });

/**
 * Sign-ins that wait for one phone, as the protocol has them: stands between the app and the server, lists what a test has put
 * there, and verifies whatever is signed.
 */
export class WaitingSignIns {
  readonly waiting: WaitingSignIn[] = [];
  /** Claims of the answers that counted. */
  readonly answers: JWTPayload[] = [];
  isAway = false;
  /** Of every account on the phone. */
  readonly #keys: JWK[] = [];
  #count = 0;

  private constructor(private readonly issuer: string) {}

  static async before(page: Page, issuer: string): Promise<WaitingSignIns> {
    const all = new WaitingSignIns(issuer);
    page.on('request', (request) => {
      if (request.url().endsWith('/device/v1/pairing')) all.#keys.push(request.postDataJSON().key);
    });
    // A server that cannot be listened to: the app asks every few seconds.
    await page.route('**/device/v1/watch', (route) => all.#fulfil(route, 404, problem('NOT_FOUND')));
    await page.route('**/device/v1/challenges', (route) => all.#list(route));
    await page.route('**/device/v1/challenges/*/answer', (route) => all.#answer(route));
    return all;
  }

  add(number: string, details: Record<string, string> = {}): WaitingSignIn {
    this.#count += 1;
    const made: WaitingSignIn = {
      id: `challenge-${this.#count}`,
      number,
      details: {
        application: 'Time Sheets',
        browser: 'Firefox on Windows',
        ip: '203.0.113.7',
        place: 'Riga, Latvia',
        at: new Date().toISOString(),
        ...details,
      },
      triesLeft: 3,
      expiresAt: new Date(Date.now() + 120_000),
    };
    this.waiting.push(made);
    return made;
  }

  async #list(route: Route): Promise<void> {
    await this.#verify(route);
    await this.#fulfil(route, 200, {
      challenges: this.waiting.map(({ id, number, details, expiresAt }) => ({
        id,
        details: JSON.stringify(details),
        digits: number.length,
        createdAt: details.at,
        expiresAt: expiresAt.toISOString(),
      })),
    });
  }

  async #answer(route: Route): Promise<void> {
    const kid = await this.#verify(route);
    const { payload, protectedHeader } = await this.#read(
      route.request().postDataJSON().answer,
      'countersign-approval+jwt',
    );
    expect(protectedHeader.kid).toBe(kid);
    const place = this.waiting.findIndex(({ id }) => route.request().url().endsWith(`/${id}/answer`));
    const found = this.waiting[place];
    if (!found) return this.#fulfil(route, 409, problem('REFUSED'));
    const shown = createHash('sha256').update(JSON.stringify(found.details)).digest('base64url');
    expect(payload).toMatchObject({ challenge: found.id, shown });
    if (payload.decision === 'approve' && payload.number !== found.number) {
      found.triesLeft -= 1;
      if (found.triesLeft === 0) this.waiting.splice(place, 1);
      return this.#fulfil(route, 422, problem('WRONG_NUMBER', { triesLeft: found.triesLeft }));
    }
    this.waiting.splice(place, 1);
    this.answers.push(payload);
    const outcome = { approve: 'approved', not_now: 'postponed', not_me: 'denied' }[String(payload.decision)];
    return this.#fulfil(route, 200, { outcome });
  }

  /** @returns the key id */
  async #verify(route: Route): Promise<string | undefined> {
    const request = route.request();
    const { payload, protectedHeader } = await this.#read(
      request.headers()['device-signature'] ?? '',
      'countersign-request+jwt',
    );
    expect(payload).toMatchObject({
      htm: 'POST',
      htu: request.url(),
      bh: createHash('sha256')
        .update(request.postData() ?? '')
        .digest('base64url'),
    });
    return protectedHeader.kid;
  }

  /** By whichever key of this phone it is signed. */
  async #read(jws: string, typ: string): Promise<JWTVerifyResult> {
    const options = { typ, audience: this.issuer, algorithms: ['ES256'] };
    return Promise.any(this.#keys.map(async (key) => jwtVerify(jws, await importJWK(key, 'ES256'), options)));
  }

  async #fulfil(route: Route, status: number, body: object): Promise<void> {
    if (this.isAway) return route.abort('internetdisconnected');
    await route.fulfill({
      status,
      contentType: status < 400 ? 'application/json' : 'application/problem+json',

      body: JSON.stringify({ ...body, serverTime: new Date().toISOString() }),
    });
  }
}
