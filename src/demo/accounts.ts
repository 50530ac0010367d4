import type { Created, NewAccount } from '../accounts/index.js';
import type { AccountSettings } from '../config/index.js';

/** Somebody to sign in as, as the tour shows it. The passwords are public: the demonstration listens on this machine only. */
export interface DemoAccount {
  login: string;
  name: string;
  /** Absent: invited, chooses one with the link in the mail. */
  password?: string;
  /** What signing in as this person shows. */
  shows: string;
}

/** The members of this group have a week to set the second step up, counted from each start of the demonstration. */
export const GRACE_GROUP = 'newcomers';
export const GRACE_DAYS = 7;

const STORIES: Readonly<Record<string, string>> = {
  'anna@example.com':
    'Must use a second step. The first sign-in leads her through setting it up; every later one asks for a code.',
  'ben@example.com':
    'Has a week left to set the second step up. Until then he may say "Later" once a day; the tokens say that he used a password only.',
  'cleo@example.com':
    'Needs no second step to sign in. The API needs one: the application asks for more, and she is led to set it up at that moment.',
  'dora@example.com': 'Invited, and without a password so far. Her invitation waits in the outbox.',
};

/** The accounts of `config/demo.yaml` with what each shows. */
export const demoAccounts = (settings: readonly AccountSettings[]): DemoAccount[] =>
  settings.map(({ login, name, password }) => ({
    login,
    name,
    shows: STORIES[login] ?? 'An account of your own.',
    ...(password ? { password } : {}),
  }));

/** Makes the accounts that are not there yet; the ones without a password are invited, once. */
export async function createDemoAccounts(
  settings: readonly AccountSettings[],
  deps: {
    create(account: NewAccount): Promise<Created>;
    /** Sends the link with which a person chooses a password. */
    invite(accountId: string): Promise<void>;
  },
): Promise<void> {
  for (const { login, name, email, groups, locale, password } of settings) {
    const created = await deps.create({
      login,
      name,
      groups,
      ...(email ? { email } : {}),
      ...(locale ? { locale } : {}),
      ...(password ? { password } : {}),
    });
    if (created.ok && !password) await deps.invite(created.account.id);
    if (!created.ok && created.reason !== 'login_taken') throw new Error(`${login}: ${created.reason}`);
  }
}
