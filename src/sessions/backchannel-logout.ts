import type { Provider } from 'oidc-provider';

/** One logout token to send (OpenID Connect Back-Channel Logout 1.0). */
export interface LogoutDelivery {
  clientId: string;
  accountId: string;
  sid?: string;
}

/** A method of the library's clients that its types leave out. */
interface LogoutTarget {
  backchannelLogout(sub: string, sid: string | undefined): Promise<void>;
}

/** Sends one logout token. @throws when the application did not take it, so that the outbox tries again. */
export const createBackchannelLogout =
  (provider: Provider) =>
  async ({ clientId, accountId, sid }: LogoutDelivery): Promise<void> => {
    const client = await provider.Client.find(clientId);
    if (!client?.backchannelLogoutUri) return;
    await (client as unknown as LogoutTarget).backchannelLogout(accountId, sid);
  };
