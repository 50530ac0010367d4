/** Adds a factor's `amr` values (RFC 8176) to those proved before; `mfa` only with two kinds of proof. */
export function amrOf(before: readonly string[], factor: readonly string[]): string[] {
  const all = [...new Set([...before.filter((value) => value !== 'mfa'), ...factor])];
  return before.length > 0 && factor.length > 0 ? [...all, 'mfa'] : all;
}
