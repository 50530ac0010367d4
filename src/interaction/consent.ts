import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Audit, AuditEvent } from '../audit/contract.js';
import { AppError } from '../errors.js';
import type { Presenter } from '../http/index.js';
import { originOf, type Pages, stateOf } from '../http/index.js';
import type { Interactions, SignInInteraction } from './interaction.js';

interface Missing {
  missingOIDCScope?: string[];
  missingOIDCClaims?: string[];
  missingResourceScopes?: Record<string, string[]>;
}

export interface ConsentDeps {
  pages: Pages;
  presenter: Presenter;
  interactions: Interactions;
  audit: Audit;
  accounts: { find(id: string): Promise<{ login: string } | undefined> };
  provider(): Provider;
  url(path: string): string;
  /** Does what follows from an answer once that is stored. */
  onceWritten(work: () => Promise<void>): Promise<void>;
}

/** What an application of a third party asks for, and the person's answer. Prompt `consent`. */
export function mountConsent(deps: ConsentDeps): void {
  const { pages, presenter, interactions, audit, url } = deps;

  const accountIdOf = (interaction: SignInInteraction): string => {
    const id = interaction.session?.accountId;
    if (!id) throw new AppError('INTERACTION_ENDED', 'consent without a session');
    return id;
  };

  /** What is asked for; all that the application gets where it has the grant already and wants the page again. */
  const shown = ({ params, prompt }: SignInInteraction, missing: string[]): string[] => {
    const isAgain = Object.keys(prompt.details).every((name) => prompt.details[name] === undefined);
    const scopes = isAgain && typeof params.scope === 'string' ? params.scope.split(' ') : missing;
    return scopes.filter((scope) => scope !== 'openid');
  };

  const tell = (ctx: Context, interaction: SignInInteraction, type: 'consent_granted' | 'consent_refused') => {
    const { missingOIDCScope = [], missingResourceScopes = {} } = interaction.prompt.details as Missing;
    const accountId = accountIdOf(interaction);
    const event: AuditEvent = {
      type,
      accountId,
      actor: { type: 'account', id: accountId },
      clientId: String(interaction.params.client_id),
      origin: originOf(ctx),
      details: { scopes: [...missingOIDCScope, ...Object.values(missingResourceScopes).flat()] },
    };
    return deps.onceWritten(() => audit.record(event));
  };

  pages.get('/consent/:uid', async (ctx, { uid = '' }) => {
    const interaction = await interactions.load(ctx, uid, 'consent');
    if (!interaction) return;
    const {
      missingOIDCScope = [],
      missingOIDCClaims = [],
      missingResourceScopes = {},
    } = interaction.prompt.details as Missing;
    const client = await deps.provider().Client.find(String(interaction.params.client_id));
    const account = await deps.accounts.find(accountIdOf(interaction));
    presenter.show(ctx, 'consent', {
      action: url(`/consent/${uid}`),
      applicationName: stateOf(ctx).application?.name,
      clientUri: client?.clientUri,
      logoUri: client?.logoUri,
      policyUri: client?.policyUri,
      tosUri: client?.tosUri,
      scopes: shown(interaction, missingOIDCScope).map((name) => ({ name })),
      claims: missingOIDCClaims,
      resources: Object.entries(missingResourceScopes).map(([identifier, scopes]) => ({ identifier, scopes })),
      login: account?.login,
    });
  });

  pages.form('/consent/:uid', { decision: 16 }, async (ctx, { decision }, { uid = '' }) => {
    const interaction = await interactions.load(ctx, uid, 'consent');
    if (!interaction) return;
    if (decision === 'deny') {
      await tell(ctx, interaction, 'consent_refused');
      return interactions.cancel(ctx, interaction);
    }
    if (decision !== 'allow') throw new AppError('REQUEST_MALFORMED', 'neither allow nor deny');
    const { Grant } = deps.provider();
    const grant =
      (interaction.grantId ? await Grant.find(interaction.grantId) : undefined) ??
      new Grant({ accountId: accountIdOf(interaction), clientId: String(interaction.params.client_id) });
    const { missingOIDCScope, missingOIDCClaims, missingResourceScopes = {} } = interaction.prompt.details as Missing;
    if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
    if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
    for (const [identifier, scopes] of Object.entries(missingResourceScopes)) {
      grant.addResourceScope(identifier, scopes.join(' '));
    }
    await tell(ctx, interaction, 'consent_granted');
    await interactions.finish(ctx, interaction, { consent: { grantId: await grant.save() } });
  });
}
