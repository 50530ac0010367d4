import type { KoaContextWithOIDC } from 'oidc-provider';

/** How long a right password waits for the second factor, in seconds; each confirmed step of set-up starts it anew. */
export const FIRST_FACTOR_TTL_SECONDS = 600;

/** The password step's result. Not a login: no session exists before the second factor. */
export interface FirstFactor {
  accountId: string;
  /** When the password was right, seconds since the epoch: the later `auth_time`. */
  ts: number;
  amr: string[];
  /** The last confirmed step of set-up, seconds since the epoch. */
  renewedAt?: number;
}

/** What one proof of a second factor leaves in the interaction's result; written down once, by `id`, when the sign-in is accepted. */
export interface Proof {
  id: string;
  /** Seconds since the epoch. */
  ts: number;
  method?: string;
  factorId?: string;
}

/** The interaction results we write; merged over resumes by the provider. */
export interface SignInResult {
  first_factor?: FirstFactor;
  /** The right password of somebody else than the person who is signed in here, until they have said who it shall be. */
  other_account?: FirstFactor;
  login?: { accountId: string; ts: number; acr: string; amr: string[] };
  second_factor?: { method: string; ts: number };
  set_up?: {
    /** It was tried, or its owner did not want to. */
    isTried?: true;
    accountId: string;
    method: string;
    factorId: string;
    level: string;
    amr: string[];
    ts: number /** Methods that the wizard is not to ask for any more. */;
    skipped?: string[];
  };
  proof?: Proof;
  /** What let a sign-in in that ends with the password alone. */
  suspension?: { id: string; clearedBy: 'request' | 'access_code' | 'password_alone' };
  consent?: { grantId?: string };
  error?: string;
  error_description?: string;
  /** The uid of the interaction that wrote this result: tells a finished one from one that inherited it. */
  done?: string;
}

/** The right password of this sign-in, as long as no login was completed and it is fresh enough. */
export function pendingFirstFactor(result: SignInResult | undefined, nowSeconds: number): FirstFactor | undefined {
  const first = result?.first_factor;
  if (!first || result?.login) return undefined;
  return nowSeconds - (first.renewedAt ?? first.ts) <= FIRST_FACTOR_TTL_SECONDS ? first : undefined;
}

export const resultOf = (ctx: KoaContextWithOIDC): SignInResult | undefined =>
  (ctx.oidc as unknown as { result?: SignInResult }).result;
