import type { AccountClaims, FindAccount, KoaContextWithOIDC } from 'oidc-provider';
import type { Account } from '../accounts/contract.js';

/** Claims by scope (OpenID Connect Core 5.4), and our own `groups`. `acr`, `amr`, `auth_time` are in every ID Token unasked. */
export const CLAIMS: Record<string, string[]> = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: [
    'name',
    'given_name',
    'family_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
  groups: ['groups'],
};

/** What we can say of an account. An address on file is a verified one; without one both claims are left out. */
export function claimsOf(account: Account): AccountClaims {
  return {
    ...account.claims,
    sub: account.id,
    name: account.name,
    preferred_username: account.login,
    groups: account.groups,
    ...(account.locale ? { locale: account.locale } : {}),
    ...(account.email ? { email: account.email, email_verified: true } : {}),
  };
}

/** The provider's account look-up over a source of accounts. */
export const findAccountIn =
  (source: { find(id: string): Promise<Account | undefined> }): FindAccount =>
  async (_ctx: KoaContextWithOIDC, id: string) => {
    const account = await source.find(id);
    return account && { accountId: account.id, claims: async () => claimsOf(account) };
  };
