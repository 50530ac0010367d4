/** What a session has proved, weakest first. The URNs are what relying applications see as `acr`. */
export const LEVELS = ['1fa', '2fa-remembered', '2fa', 'phr'] as const;
export type Level = (typeof LEVELS)[number];

export const ACR: Record<Level, string> = {
  '1fa': 'urn:countersign:acr:1fa',
  '2fa-remembered': 'urn:countersign:acr:2fa-remembered',
  '2fa': 'urn:countersign:acr:2fa',
  phr: 'phr',
};

export const levelRank = (level: Level | undefined): number => (level ? LEVELS.indexOf(level) : -1);
export const isAtLeast = (level: Level | undefined, needed: Level): boolean => levelRank(level) >= levelRank(needed);
export const highest = (...levels: (Level | undefined)[]): Level =>
  levels.reduce<Level>((best, level) => (levelRank(level) > levelRank(best) ? (level as Level) : best), '1fa');
