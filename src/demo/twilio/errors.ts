/** What the API answers: https://www.twilio.com/docs/api/errors. `number` is put in as Twilio does it. */
const ANSWERED: Readonly<Record<number, { status: number; message: (number: string) => string }>> = {
  20003: { status: 401, message: () => 'Authenticate' },
  20404: { status: 404, message: () => 'The requested resource was not found' },
  20429: { status: 429, message: () => 'Too Many Requests' },
  20500: { status: 500, message: () => 'Internal Server Error' },
  20503: { status: 503, message: () => 'Service Unavailable' },
  21211: { status: 400, message: (number) => `Invalid 'To' Phone Number: ${number}` },
  21212: { status: 400, message: (number) => `Invalid 'From' Phone Number: ${number}` },
  21408: {
    status: 403,
    message: (number) =>
      `Permission to send an SMS has not been enabled for the region indicated by the 'To' number: ${number}`,
  },
  21602: { status: 400, message: () => 'Message body is required.' },
  21603: { status: 400, message: () => "A 'From' phone number is required." },
  21604: { status: 400, message: () => "A 'To' phone number is required." },
  21606: {
    status: 400,
    message: (number) =>
      `The 'From' phone number provided (${number}) is not a valid message-capable Twilio phone number.`,
  },
  21609: { status: 400, message: () => "The 'StatusCallback' URL is not a valid URL." },
  21610: { status: 400, message: (number) => `Attempt to send to unsubscribed recipient: ${number}` },
  21611: {
    status: 429,
    message: (number) => `This 'From' number ${number} has exceeded the maximum number of queued messages`,
  },
  21612: { status: 400, message: (number) => `The 'To' phone number: ${number}, is not currently reachable via SMS` },
  21614: { status: 400, message: (number) => `'To' number: ${number}, is not a valid mobile number` },
  21617: { status: 400, message: () => 'The concatenated message body exceeds the 1600 character limit' },
};

/** Twilio's codes from here on are told by callback: the message was taken, and did not arrive. */
const FIRST_OF_DELIVERY = 30_000;

export const isAboutDelivery = (code: number): boolean => code >= FIRST_OF_DELIVERY;

/** An error as the API answers it. */
export function errorAnswer(code: number, number = ''): { status: number; body: Record<string, unknown> } {
  const { status, message } = ANSWERED[code] ?? { status: 400, message: () => 'Bad Request' };
  return {
    status,
    body: { code, message: message(number), more_info: `https://www.twilio.com/docs/errors/${code}`, status },
  };
}
