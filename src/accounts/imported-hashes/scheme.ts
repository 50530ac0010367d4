/** Why a hash of another system is not taken. */
export type HashRefusal = 'unknown' | 'malformed' | 'too_costly';

/** One way in which other systems store passwords. */
export interface HashScheme {
  readonly name: string;
  /** Whether a stored text is one of its own, by how it begins. */
  isOwn(stored: string): boolean;
  /** What speaks against storing it: what cannot be read, or what would keep a core or the memory busy at each sign-in. */
  refusal(stored: string): Exclude<HashRefusal, 'unknown'> | undefined;
  /** @param stored not refused. @param password as it was typed. */
  verify(stored: string, password: string): Promise<boolean>;
  /** Bytes of a password that count; absent: all of them. */
  readonly countedBytes?: number;
}
