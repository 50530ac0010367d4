/** The library's own reading of a key set, called with the provider as `this`: it checks the keys, then puts both sets into their place at once. */
declare module 'oidc-provider/lib/helpers/initialize_keystore.js' {
  export default function initializeKeystore(
    this: import('oidc-provider').Provider,
    jwks: { keys: readonly import('oidc-provider').JWK[] },
  ): void;
}
