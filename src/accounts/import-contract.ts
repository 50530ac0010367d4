import type { Unit } from '../platform/database.js';
import type { Coverage } from './model.js';
import type { NewAccount } from './new-account.js';

/** An account as another system tells of it. */
export interface ImportRow extends Pick<NewAccount, 'login' | 'name' | 'email' | 'groups' | 'locale'> {
  /** In the source: what it came from before. */
  line: number;
  /** What it is called in the source, whatever its login becomes. */
  externalId?: string;
  password?: string;
  passwordHash?: string;
  factors: readonly ImportedFactor[];
}

export interface ImportedFactor {
  /** The field it stands in, for complaints. */
  field: string;
  method: string;
  text: string;
  label?: string;
}

export interface ImportProblem {
  field: string;
  reason: string;
}

export type RowResult =
  | { result: 'ok'; id: string }
  /** It came with an earlier run; it is as it is now. */
  | { result: 'exists'; id: string }
  | { result: 'error'; problems: ImportProblem[] };

/** A stored factor, as far as its account's import looks at it. */
export interface AdoptedFactor {
  _id: string;
  method: string;
  label: string;
  /** What no two accounts may hold. */
  exclusive?: string;
}

/** Makes the records of factors that come along. */
export interface FactorAdoption {
  adopt(
    accountId: string,
    wanted: readonly ImportedFactor[],
  ): Promise<{ records: AdoptedFactor[]; coverage: Coverage; problems: { index: number; reason: string }[] }>;
  /** Stores them. */
  insert(records: readonly AdoptedFactor[], unit: Unit): Promise<void>;
  /** Those of them whose `exclusive` an account holds already, by id. */
  held(records: readonly AdoptedFactor[]): Promise<ReadonlySet<string>>;
}

export interface Importer {
  /**
   * Stores many accounts in one transaction, each with its factors and what the audit says of it; where it does not go through, each
   * in one of its own. Results are in the order of the rows. Rows of one call must not name a login twice.
   */
  store(rows: readonly ImportRow[]): Promise<RowResult[]>;
  /** What `store` would come to, as things are now. */
  judge(rows: readonly ImportRow[]): Promise<RowResult[]>;
}
