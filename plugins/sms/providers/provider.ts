/** What carries a text message out: the words that the method and every provider share. */
import type { Finding } from '../../../src/platform/finding.js';

/** One text message on its way out. The number and the text live here and nowhere else in the clear. */
export interface TextMessage {
  /** Ours; the same over all providers that are tried. */
  id: string;
  /** E.164. */
  to: string;
  text: string;
}

/**
 * Why a message did not arrive; each has a sentence for the person.
 * `number_unusable`: not a number that can receive texts. `unsubscribed`: the person answered STOP. `unreachable`: handset off,
 * out of reach, or a landline. `blocked`: filtered on its way. `provider_trouble`: everything that is ours or the provider's.
 */
export type FailureReason = 'number_unusable' | 'unsubscribed' | 'unreachable' | 'blocked' | 'provider_trouble';

/** What became of one attempt to hand a message over. `code` is the provider's, or a word of ours: never the number or the text. */
export type HandOver =
  | {
      status: 'accepted';
      providerMessageId?: string;
      /** It has arrived, and nothing more will be heard of it. */
      isDelivered?: true;
    }
  /** Surely not sent. `isAboutNumber`: another provider would refuse it too. */
  | { status: 'refused'; reason: FailureReason; code: string; isAboutNumber: boolean }
  /** No answer in time, or broken off: it may or may not have been sent. */
  | { status: 'unknown'; code: string };

/** What a provider says about a message later. */
export interface Receipt {
  messageId: string;
  providerMessageId?: string;
  status: 'sent' | 'delivered' | 'failed';
  /** With `failed`. */
  reason?: FailureReason;
  code?: string;
}

/** One status callback as it came in. */
export interface StatusCallback {
  /** As in its path: nobody has vouched for it before the signature is checked. */
  messageId: string;
  /** The exact public URL that was called. */
  url: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
}

export interface Provider {
  /** As in the configuration; unique among the providers. */
  readonly name: string;
  /** Loads what the first message would wait for. */
  warmUp?(): Promise<void>;
  /**
   * Whether it is there and takes us, as far as can be asked without sending anything; nothing secret is said.
   * Absent: there is nobody to ask. Never throws, and ends within five seconds for each finding.
   */
  examine?(): Promise<Finding[]>;
  /** Never throws, and ends within the timeout of its configuration (default 5 s). */
  send(message: TextMessage): Promise<HandOver>;
  /**
   * What a status callback says: `forged` when its signature is wrong or missing, undefined when it says nothing new.
   * Absent: this provider calls nobody back. Never throws.
   */
  readCallback?(callback: StatusCallback): Promise<Receipt | 'forged' | undefined>;
}
