import type Provider from 'oidc-provider';
import type { JWK } from 'oidc-provider';
import initializeKeystore from 'oidc-provider/lib/helpers/initialize_keystore.js';

/**
 * The provider signs and publishes with these keys from now on; of each algorithm the first one signs. The library reads its keys at
 * each signature, verification and answer of `/jwks`, and has no public way to change them: this is what its constructor does, in one
 * step without a pause, so that no request meets half of it. What is being signed goes on with the key it has taken.
 */
export function signWith(provider: Provider, keys: readonly JWK[]): void {
  initializeKeystore.call(provider, { keys });
}
