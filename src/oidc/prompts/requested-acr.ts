import type { UnknownObject } from 'oidc-provider';

/** What an authorization request says about `acr` (OpenID Connect Core 5.5.1.1 and 3.1.2.1). */
export interface RequestedAcr {
  /** In the order of preference of the relying application; empty when it asked for none. */
  values: string[];
  essential: boolean;
}

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter((v) => typeof v === 'string') : []);

/**
 * Reads `claims` before `acr_values`: the provider turns `acr_values` into a voluntary claim, which would hide an
 * essential one of the same request.
 */
export function requestedAcr(params: UnknownObject): RequestedAcr {
  if (typeof params.claims === 'string') {
    const acr = (JSON.parse(params.claims) as { id_token?: { acr?: UnknownObject | null } }).id_token?.acr;
    if (acr) {
      const values = typeof acr.value === 'string' ? [acr.value] : strings(acr.values);
      if (values.length > 0) return { values, essential: acr.essential === true };
    }
  }
  const values = typeof params.acr_values === 'string' ? params.acr_values.split(' ').filter(Boolean) : [];
  return { values, essential: false };
}
