import type { SealedPlace, SealedValue } from '../platform/sealed-places.js';
import type { FactorRecord } from './contract.js';

/** The sealed values in the `data` of a method's factors. @param valuesIn their paths are as stored: `data.secret` */
export const sealedInFactors = <Data>(
  method: string,
  valuesIn: (record: FactorRecord<Data>) => readonly SealedValue[],
): SealedPlace<FactorRecord<Data>> => ({
  collection: 'factors',
  where: { method },
  fields: ['accountId', 'data'],
  valuesIn,
});
