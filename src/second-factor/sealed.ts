import type { FactorMethod } from '../factors/contract.js';
import type { SealedPlace } from '../platform/sealed-places.js';
import { SEALED as SEALED_AT_THE_DESK } from '../recovery-desk/index.js';

/** Where everything is that the second factor keeps sealed. @param methods that are, or were, offered */
export const sealedPlaces = (methods: readonly FactorMethod[]): SealedPlace[] => [
  ...SEALED_AT_THE_DESK,
  ...methods.flatMap(({ sealed = [] }) => sealed),
];
