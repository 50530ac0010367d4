/** What happens to a message; without anything it is delivered. */
export interface Behaviour {
  /** Twilio's: 3xxxx is told by callback (`undelivered`), any other one is the answer. */
  errorCode?: number;
  /** Never answers; the message is not kept. */
  hangs?: true;
  /** Ends the connection instead of an answer; the message is not kept. */
  breaksOff?: true;
  /** Before the answer; the message is taken, whether somebody still waits or not. */
  slowMs?: number;
  /** Nothing is heard of it after it was taken. */
  isSilent?: true;
}

/** https://www.twilio.com/docs/iam/test-credentials#test-sms-messages */
const MAGIC_RECEIVERS: Readonly<Record<string, Behaviour>> = {
  '+15005550001': { errorCode: 21211 },
  '+15005550002': { errorCode: 21612 },
  '+15005550003': { errorCode: 21408 },
  '+15005550004': { errorCode: 21610 },
  '+15005550009': { errorCode: 21614 },
};

const MAGIC_SENDERS: Readonly<Record<string, number>> = {
  '+15005550001': 21212,
  '+15005550007': 21606,
  '+15005550008': 21611,
};

export const magicReceiver = (number: string): Behaviour | undefined => MAGIC_RECEIVERS[number];

/** The code with which a sender is refused. */
export const magicSender = (number: string): number | undefined => MAGIC_SENDERS[number];
