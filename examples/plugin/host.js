import { accountClient, CLIENT_METADATA, createSecondFactor, ensureIndexes, recoveryCode, totp } from 'countersign';
import Provider, { interactionPolicy } from 'oidc-provider';
import { loginPage } from './login-page.js';
import { findPerson } from './people.js';

/** The ways to end the login page: ours, and the one that this example exists to warn of. */
const endings = {
  // (5) The password was right: what is missing is asked for now, and only then is there a session.
  right: (secondFactor) => (ctx, accountId) => secondFactor.afterPassword(ctx, accountId, ['pwd']),
  // As it was before. The second factor's own check of the prompt catches it: still no session, no code, no token.
  careless: (_, provider) => async (ctx, accountId) => {
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login: { accountId } }));
    ctx.status = 303;
  },
};

/**
 * An `oidc-provider` with accounts and a login page of its own, and the five places where the second factor comes in.
 * @param {{ issuer: string, database: object, secrets: object, jwks: object, cookieKeys: string[], clients: object[],
 *   tell: (line: string) => void, ending?: 'right' | 'careless' }} options
 */
export async function createHost({ issuer, database, secrets, jwks, cookieKeys, clients, tell, ending = 'right' }) {
  // (1) The second factor: where it keeps its things, whom it is for, which methods, which rules.
  await ensureIndexes(database, [totp, recoveryCode]);
  const secondFactor = createSecondFactor({
    issuer,
    database,
    accounts: { find: async (id) => findPerson(id) },
    methods: [{ method: totp }, { method: recoveryCode }],
    policy: {
      minimumLevel: '1fa',
      setUp: { required: true },
      groups: [],
      // Weak, for a quick look: whoever knows the password first sets the first factor up.
      firstEnrolment: 'password',
      timeZone: 'UTC',
      acrAliases: {},
    },
    secrets,
    notifier: { notify: async ({ email }, notice) => tell(`mail to ${email}: ${notice}`) },
    branding: { name: 'Plugin Host' },
  });

  const provider = new Provider(issuer, {
    jwks,
    cookies: { keys: cookieKeys },
    // (2) The employees' security page is an application of this provider; `minimum_acr` of a client is known.
    clients: [accountClient(issuer), ...clients],
    extraClientMetadata: { properties: [...CLIENT_METADATA] },
    responseTypes: ['code', 'none'],
    claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    // (3) Accounts that may not be used, and sessions that were ended, are nobody's.
    findAccount: secondFactor.guard(async (_ctx, id) => {
      const person = findPerson(id);
      return person && { accountId: id, claims: async () => ({ sub: id, name: person.name }) };
    }),
    // (4) One more prompt, with pages of its own; the others stay where they were.
    interactions: {
      policy: secondFactor.policy(interactionPolicy.base()),
      url: (ctx, interaction) =>
        interaction.prompt.name === 'second_factor'
          ? secondFactor.interactionUrl(ctx, interaction)
          : `/login/${interaction.uid}`,
    },
    // Every application here is the company's own: nobody is asked for consent.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  });
  // The pages of (4) and the security page at `/account`, in front of the provider's own addresses.
  provider.use(secondFactor.middleware(provider));
  provider.use(loginPage(provider, endings[ending](secondFactor, provider)));
  return provider;
}
