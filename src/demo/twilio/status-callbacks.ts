import { API_VERSION, type KeptMessage } from './message.js';
import { sign } from './signature.js';

/** One step in the life of a message. */
export interface Status {
  status: KeptMessage['status'];
  errorCode?: number;
}

/** https://www.twilio.com/docs/messaging/guides/track-outbound-message-status */
function fieldsOf(message: KeptMessage, accountSid: string, { status, errorCode }: Status): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: API_VERSION,
    MessageSid: message.sid,
    MessageStatus: status,
    SmsSid: message.sid,
    SmsStatus: status,
    To: message.to,
    ...(message.from ? { From: message.from } : {}),
    ...(message.messagingServiceSid ? { MessagingServiceSid: message.messagingServiceSid } : {}),
    ...(errorCode ? { ErrorCode: String(errorCode) } : {}),
  };
}

/** Calls the address that came with the message; whatever it answers, or none, changes nothing. */
export async function callBack(
  message: KeptMessage,
  status: Status,
  { accountSid, authToken, signal }: { accountSid: string; authToken: string; signal: AbortSignal },
): Promise<void> {
  if (!message.statusCallback) return;
  const fields = fieldsOf(message, accountSid, status);
  try {
    const response = await fetch(message.statusCallback, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'TwilioProxy/1.1',
        'x-twilio-signature': sign(authToken, message.statusCallback, fields),
      },
      body: new URLSearchParams(fields).toString(),
      redirect: 'manual',
      signal,
    });
    await response.body?.cancel();
  } catch {
    // As with Twilio: who does not answer does not hear of it.
  }
}
