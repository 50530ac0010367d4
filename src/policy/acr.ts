import { ACR, isAtLeast, LEVELS, type Level } from './levels.js';

/** Further names of our levels that relying applications may ask for, e.g. the REFEDS MFA profile for `2fa`. */
export type AcrAliases = Readonly<Record<string, Level>>;

/** The level that an `acr` value stands for; undefined when we do not know the value. */
export function levelOfAcr(acr: string, aliases: AcrAliases = {}): Level | undefined {
  return LEVELS.find((level) => ACR[level] === acr) ?? (Object.hasOwn(aliases, acr) ? aliases[acr] : undefined);
}

/**
 * The first requested value that the session satisfies: what the ID Token must say (OpenID Connect Core 5.5.1.1).
 * Undefined when it satisfies none; then the session's own `acr` is the truth.
 */
export function satisfiedAcr(
  requested: readonly string[],
  sessionLevel: Level | undefined,
  aliases: AcrAliases = {},
): string | undefined {
  return requested.find((acr) => {
    const level = levelOfAcr(acr, aliases);
    return level !== undefined && isAtLeast(sessionLevel, level);
  });
}
