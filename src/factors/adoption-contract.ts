/** A factor as another system tells of it, active at once; or why not, in words for the operator. */
export type Adoption<Data> =
  | { status: 'adopted'; data: Data; label: string; exclusive?: string }
  | { status: 'refused'; reason: string };
