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

/**
 * Core 5.4: the claims of scopes are for the UserInfo endpoint where the access token opens it. They go into the ID Token
 * for applications that never ask there (`claims_in_id_token`), and where the access token is for another audience.
 */
const areScopesInIdToken = ({ oidc }: KoaContextWithOIDC): boolean =>
  oidc.client?.claims_in_id_token === true || oidc.entities.AccessToken?.aud !== undefined;

/** The provider's account look-up over a source of accounts; needs `conformIdTokenClaims: false`. */
export const findAccountIn =
  (source: { find(ctx: KoaContextWithOIDC, id: string): Promise<Account | undefined> }): FindAccount =>
  async (ctx: KoaContextWithOIDC, id: string) => {
    const account = await source.find(ctx, id);
    if (!account) return undefined;
    return {
      accountId: account.id,
      async claims(use, _scope, requested) {
        const all = claimsOf(account);
        if (use !== 'id_token' || areScopesInIdToken(ctx)) return all;
        const named = Object.entries(all).filter(([name]) => Object.hasOwn(requested, name));
        return { ...Object.fromEntries(named), sub: all.sub };
      },
    };
  };
