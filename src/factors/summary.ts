import type { FactorRecord, FactorSummary } from './contract.js';

/** What pages know of a factor whose proof gives a second factor, neither more nor less. @param facts see `FactorSummary` */
export const summaryOf = (
  { _id, method, label, createdAt, lastUsedAt }: Omit<FactorRecord, 'data'>,
  facts: FactorSummary['facts'] = {},
): FactorSummary => ({
  id: _id,
  method,
  label,
  level: '2fa',
  createdAt,
  ...(lastUsedAt ? { lastUsedAt } : {}),
  facts,
});
