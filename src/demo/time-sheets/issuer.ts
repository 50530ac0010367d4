import * as client from 'openid-client';

export type IssuerConnection = client.Configuration;

/**
 * Discovery (OpenID Connect Discovery 1.0) when first needed, then kept: the demonstration may start before its issuer,
 * and a failure is tried again with the next request.
 */
export function issuerConnection(
  issuer: string,
  clientId: string,
  authentication: client.ClientAuth,
): () => Promise<IssuerConnection> {
  const url = new URL(issuer);
  const isPlain = url.protocol === 'http:';
  let found: Promise<IssuerConnection> | undefined;
  return () => {
    found ??= client
      .discovery(url, clientId, undefined, authentication, {
        timeout: 5,
        ...(isPlain ? { execute: [client.allowInsecureRequests] } : {}),
      })
      .catch((error: unknown) => {
        found = undefined;
        throw error;
      });
    return found;
  };
}
