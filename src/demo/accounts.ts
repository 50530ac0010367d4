import type { AccountStore, OneTimeLinks } from '../accounts/index.js';
import type { Audit } from '../audit/contract.js';
import type { AccountSettings } from '../config/index.js';
import type { Notifier } from '../notifications/contract.js';

/** Somebody to sign in as, as the tour shows it. The passwords are public: the demonstration listens on this machine only. */
export interface DemoAccount {
  login: string;
  name: string;
  /** Absent: invited, chooses one with the link in the mail. */
  password?: string;
  /** What signing in as this person shows. */
  shows: string;
  /** Works in the console. */
  isAdministrator?: boolean;
}

/** The members of this group have a week to set the second step up, counted from each start of the demonstration. */
export const GRACE_GROUP = 'newcomers';
export const GRACE_DAYS = 7;

/** What each account of `config/demo.yaml` is for, by login. */
export const DEMO_STORIES: Readonly<Record<string, string>> = {
  'anna@example.com':
    'Must use a second step. The first sign-in leads her through setting it up; every later one asks for a code.',
  'ben@example.com':
    'Has a week left to set the second step up. Until then he may say "Later" once a day; the tokens say that he used a password only.',
  'cleo@example.com':
    'Needs no second step to sign in. The API needs one: the application asks for more, and she is led to set it up at that moment.',
  'dora@example.com': 'Invited, and without a password so far. Her invitation waits in the outbox.',
  'hugo@example.com': 'Works at the help desk: decides on requests, and helps everybody who has no role of their own.',
  'olga@example.com': 'Owns the installation: may do everything, and gives others their roles.',
};

/** The accounts of `config/demo.yaml` with what each shows. */
export const demoAccounts = (settings: readonly AccountSettings[]): DemoAccount[] =>
  settings.map(({ login, name, password, roles }) => ({
    login,
    name,
    shows: DEMO_STORIES[login] ?? 'An account of your own.',
    ...(password ? { password } : {}),
    ...(roles.length > 0 ? { isAdministrator: true } : {}),
  }));

const INVITATION_SECONDS = 24 * 3600;

export interface DemoAccountsDeps {
  issuer: string;
  accounts: Pick<AccountStore, 'create' | 'findByLogin' | 'passwordState'>;
  links: Pick<OneTimeLinks, 'create'>;
  notifier: Notifier;
  audit: Pick<Audit, 'record'>;
}

/** Makes the accounts that are not there yet. Whoever has no password is invited, anew at each start: invitations end after a day. */
export async function createDemoAccounts(settings: readonly AccountSettings[], deps: DemoAccountsDeps): Promise<void> {
  const { issuer, accounts, links, notifier, audit } = deps;
  const actor = { type: 'operator' } as const;
  for (const { login, name, email, groups, roles, locale, claims, password } of settings) {
    const created = await accounts.create({
      login,
      name,
      groups,
      roles,
      ...(email ? { email } : {}),
      ...(locale ? { locale } : {}),
      ...(claims ? { claims } : {}),
      ...(password ? { password } : {}),
    });
    if (created.ok) await audit.record({ type: 'user_created', accountId: created.account.id, actor });
    else if (created.reason !== 'login_taken') throw new Error(`${login}: ${created.reason}`);
    const account = created.ok ? created.account : await accounts.findByLogin(login);
    if (!account || (await accounts.passwordState(account.id))?.hasPassword) continue;
    const token = await links.create('invitation', account.id, INVITATION_SECONDS);
    await notifier.notify(account, 'invitation', { link: `${issuer}/invitation/${token}` });
    await audit.record({ type: 'invitation_sent', accountId: account.id, actor });
  }
}
