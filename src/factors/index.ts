/** The engine of the second step: what an account has enrolled, asking for it, checking the answer, setting up and removing. */
export { ALL_METHODS, codeRules, methodCounter, REFUSAL_EVENT, throttleSubject } from './attempts.js';
export type {
  Callback,
  CountryDelivery,
  CountryState,
  DeliveryControl,
  DeliveryCounts,
  DeliveryReport,
  EnrolmentOutcome,
  Evidence,
  Factor,
  FactorKind,
  FactorMethod,
  FactorRecord,
  FactorSummary,
  Refused,
  RejectionCode,
  SecretReader,
  Step,
} from './contract.js';
export { LABEL_MAX_LENGTH } from './contract.js';
export { createEngine } from './engine.js';
export type {
  AccountMethod,
  Engine,
  EngineAccount,
  EngineOptions,
  EnrollableMethod,
  EnrolmentResult,
  MethodForms,
  MethodWork,
  Rejected,
  SignIn,
  SubmitResult,
  Throttled,
  Unusable,
  WantedFactor,
} from './engine-contract.js';
export { ensureIndexes } from './indexes.js';
export { coverageOf, levelsOf } from './listing.js';
