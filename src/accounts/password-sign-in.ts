import type { Audit, RequestOrigin } from '../audit/contract.js';
import type { Clock } from '../platform/clock.js';
import type { Database } from '../platform/database.js';
import { ipSubject } from '../platform/ip-subject.js';
import type { SecretBox } from '../platform/secret-box.js';
import type { Reservation, Settlement, Throttle, ThrottleRule } from '../throttle/contract.js';
import type { Account } from './contract.js';
import { createCredentials } from './credentials.js';
import { normaliseLogin } from './login.js';
import type { Passwords } from './passwords.js';

export interface PasswordAttempt {
  login: string;
  password: string;
  origin: RequestOrigin;
  /**
   * Identifies a browser in which the account of this very login has signed in before, proved by a cookie that the caller has verified:
   * it has a count of its own, so that a stranger's wrong passwords do not make the owner wait.
   */
  knownBrowser?: string;
  clientId?: string;
}

export type PasswordOutcome =
  | { status: 'ok'; account: Account; mustChangePassword: boolean }
  /** Unknown login, wrong password, no password: nobody learns which. */
  | { status: 'wrong' }
  | { status: 'throttled'; retryAt: Date }
  /** The right password of an account that may not be used. */
  | { status: 'deactivated'; account: Account };

export interface PasswordSignIn {
  /** @throws AppError OVERLOADED when too many passwords are being checked. */
  authenticate(attempt: PasswordAttempt): Promise<PasswordOutcome>;
}

const COUNTER = 'password';
/** Waiting, never locking out: a stranger must not be able to shut the owner out (security.md). */
const PER_LOGIN: ThrottleRule = { counter: COUNTER, free: 5, waitsSeconds: [30, 60, 120, 300, 900, 3600] };
const PER_IP: ThrottleRule = { counter: COUNTER, limit: 100, windowSeconds: 900 };
/** Refusals cost nothing to cause: one event a minute tells the story without filling the disk. */
const REFUSAL_EVENT: ThrottleRule = { counter: 'refusal_event', limit: 1, windowSeconds: 60 };

export function createPasswordSignIn(deps: {
  database: Database;
  clock: Clock;
  passwords: Passwords;
  throttle: Throttle;
  audit: Audit;
  secretBox: SecretBox;
}): PasswordSignIn {
  const { clock, passwords, throttle, audit, secretBox } = deps;
  const credentials = createCredentials(deps);

  const subjectOf = ({ login, knownBrowser }: PasswordAttempt): string => {
    const hashed = secretBox.index(normaliseLogin(login), 'password-attempts');
    return knownBrowser === undefined ? `login:${hashed}` : `known:${hashed}:${knownBrowser}`;
  };

  const recordFailure = (
    { origin, clientId }: PasswordAttempt,
    type: 'authn_login_fail' | 'authn_login_fail_max',
    reason: string,
    account?: Account,
  ): Promise<void> =>
    audit.record({
      type,
      actor: { type: 'anonymous' },
      origin,
      details: { reason },
      ...(account ? { accountId: account.id } : {}),
      ...(clientId === undefined ? {} : { clientId }),
    });

  const refuse = async (
    attempt: PasswordAttempt,
    subject: string,
    refusal: Extract<Reservation, { reserved: false }>,
    reason: 'login' | 'ip',
  ): Promise<PasswordOutcome> => {
    if ((await throttle.reserve(subject, [REFUSAL_EVENT])).reserved) {
      const found = await credentials.find(attempt.login);
      await recordFailure(attempt, 'authn_login_fail_max', reason, found?.account);
    }
    return { status: 'throttled', retryAt: refusal.retryAt ?? clock.now() };
  };

  return {
    async authenticate(attempt) {
      const subject = subjectOf(attempt);
      const network = attempt.origin.ip === undefined ? undefined : ipSubject(attempt.origin.ip);
      const ofNetwork: Settlement[] = network ? [{ subject: network, release: [COUNTER] }] : [];

      const reservation = await throttle.reserveAll([
        ...(network ? [{ subject: network, rules: [PER_IP] }] : []),
        { subject, rules: [PER_LOGIN] },
      ]);
      if (!reservation.reserved) {
        return refuse(attempt, reservation.subject, reservation, reservation.subject === network ? 'ip' : 'login');
      }

      const found = await credentials.find(attempt.login);
      const verified = await passwords.verify(found?.password, attempt.password).catch(async (error: unknown) => {
        // Nothing was tried.
        await throttle.settleAll([{ subject, release: [COUNTER] }, ...ofNetwork]);
        throw error;
      });
      if (!verified.isRight || !found?.password) {
        const reason = found ? (found.password ? 'wrong_password' : 'no_password') : 'unknown_login';
        await recordFailure(attempt, 'authn_login_fail', reason, found?.account);
        return { status: 'wrong' };
      }

      const { account, password } = found;
      await throttle.settleAll([{ subject, reset: [COUNTER] }, ...ofNetwork]);
      if (!account.active) {
        await recordFailure(attempt, 'authn_login_fail', 'deactivated', account);
        return { status: 'deactivated', account };
      }
      if (verified.needsRehash) {
        await credentials.renew(account.id, password.hash, await passwords.hash(attempt.password));
      }
      return { status: 'ok', account, mustChangePassword: password.compromised === true };
    },
  };
}
