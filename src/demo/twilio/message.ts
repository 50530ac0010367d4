import { randomBytes } from 'node:crypto';
import { countSegments } from './segments.js';

export const API_VERSION = '2010-04-01';

/** A message that was taken, as the phone and the account's log would show it. */
export interface KeptMessage {
  sid: string;
  to: string;
  /** A number or a name; of a messaging service nothing before it was sent. */
  from: string | undefined;
  messagingServiceSid: string | undefined;
  body: string;
  statusCallback: string | undefined;
  /** Seconds. */
  validityPeriod: number | undefined;
  status: 'queued' | 'accepted' | 'sent' | 'delivered' | 'undelivered';
  errorCode: number | undefined;
  createdAt: Date;
}

/** @param fields of the form, checked. */
export function keep(fields: URLSearchParams, createdAt: Date): KeptMessage {
  const messagingServiceSid = fields.get('MessagingServiceSid') ?? undefined;
  const validity = fields.get('ValidityPeriod');
  return {
    sid: `SM${randomBytes(16).toString('hex')}`,
    to: fields.get('To') ?? '',
    from: fields.get('From') ?? undefined,
    messagingServiceSid,
    body: fields.get('Body') ?? '',
    statusCallback: fields.get('StatusCallback') ?? undefined,
    validityPeriod: validity ? Number(validity) : undefined,
    status: messagingServiceSid ? 'accepted' : 'queued',
    errorCode: undefined,
    createdAt,
  };
}

/** RFC 2822 section 3.3, as Twilio writes it. */
const rfc2822 = (date: Date): string => date.toUTCString().replace('GMT', '+0000');

/** The resource: https://www.twilio.com/docs/messaging/api/message-resource. */
export function resourceOf(message: KeptMessage, accountSid: string): Record<string, unknown> {
  const at = rfc2822(message.createdAt);
  const path = `/${API_VERSION}/Accounts/${accountSid}/Messages/${message.sid}`;
  return {
    account_sid: accountSid,
    api_version: API_VERSION,
    body: message.body,
    date_created: at,
    date_sent: null,
    date_updated: at,
    direction: 'outbound-api',
    error_code: null,
    error_message: null,
    from: message.from ?? null,
    messaging_service_sid: message.messagingServiceSid ?? null,
    num_media: '0',
    // A messaging service has not chosen its sender yet.
    num_segments: message.messagingServiceSid ? '0' : String(countSegments(message.body)),
    price: null,
    price_unit: null,
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${path}/Media.json` },
    to: message.to,
    uri: `${path}.json`,
  };
}
