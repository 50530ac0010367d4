import type { Evidence, FactorKind, FactorMethod, Step } from '../../src/factors/contract.js';
import type { Engine, EngineAccount, SignIn, SubmitResult } from '../../src/factors/index.js';
import type { TwoNodes } from '../factors/two-nodes.js';

/** How the suite plays the person in front of one method. */
export interface PluginDriver {
  method: FactorMethod;
  kind: FactorKind;
  config?: unknown;
  /** What the first page of an enrolment asks for, where another one follows that is confirmed. */
  firstAnswer?(account: EngineAccount): Evidence;
  /** What this person finds elsewhere, on the phone: known beside what stands on this page. */
  elsewhere?(nodes: TwoNodes, account: EngineAccount, page: Step['locals']): Promise<Record<string, unknown>>;
  /** What confirms an enrolment whose page this is. */
  enrolmentEvidence(page: Step['locals'], now: Date): Evidence;
  wrongEnrolmentEvidence: Evidence;
  /** How many answers to one enrolment are looked at, right ones too, before it ends; without it as many as waits allow. */
  enrolmentTries?: number;
  /** The `nth` right answer, each another one; a minute passes between two. */
  evidence(enrolmentPage: Step['locals'], entryPage: Step['locals'], now: Date, nth: number): Evidence;
  /** Well-formed, and wrong now. */
  wrongEvidence(enrolmentPage: Step['locals'], now: Date): Evidence;
  /** The longest field allowed, by name: of the entry form, or of the enrolment's where that one has none. */
  field: { name: string; longest: number };
  /** How an answer gets to the method, as far as the browser's next page; without it with the form of the page. */
  submit?(nodes: TwoNodes, engine: Engine, signIn: SignIn, evidence: Evidence): Promise<Submitted>;
  /** How often the method has looked at an answer of this account, right ones left out; without it by its calls. */
  looks?(nodes: TwoNodes, account: EngineAccount): Promise<number>;
}

/** As much of the engine's result as a driver of its own can tell. */
export type Submitted = SubmitResult | { status: 'rejected'; code: 'wrong'; failures: number };
