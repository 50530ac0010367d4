/** Where a folder keeps sealed values: what each folder that keeps some exports as `SEALED`, as it does `ensureIndexes`. */
export interface SealedPlace<Document = never> {
  collection: string;
  /** Of a collection that several share, its own documents. */
  where?: Readonly<Record<string, unknown>>;
  /** What `valuesIn` reads besides `_id`. */
  fields: readonly string[];
  /** Every sealed value of one document. */
  valuesIn(document: Document & { _id: string }): readonly SealedValue[];
}

export interface SealedValue {
  /** As MongoDB names it: `data.secret`, `previous.0.sealed`. */
  path: string;
  /** Absent: nothing is there. */
  sealed: string | null | undefined;
  /** What it was sealed for. */
  context: string;
}
