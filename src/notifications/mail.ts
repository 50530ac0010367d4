import type { Notice } from './contract.js';

/** A mail ready to be sent. */
export interface Mail {
  /** Stable over retries: transports use it as the Message-ID, so that a mail sent twice shows once in most mailboxes. */
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
}

/** Carries one mail outside. */
export interface Transport {
  /** Resolves when the next hop took responsibility. @throws whatever the hop says; `code` or `responseCode` of the error is logged, its message is not. */
  send(mail: Mail): Promise<void>;
  /** Tries whether the next hop takes us, without sending anything. @throws as `send` does. */
  verify?(): Promise<unknown>;
  /** Lets go of connections; called once, when the outbox stops. */
  close?(): void;
}

/** Fills a mail's template in the person's language. */
export type RenderMail = (
  notice: Notice,
  locals: {
    locale?: string;
    name: string;
    params: Record<string, string | number>;
    /** A page where the person can say that it was somebody else. */
    notMeHref?: string;
  },
) => MailBody | Promise<MailBody>;

export type MailBody = Pick<Mail, 'subject' | 'text' | 'html'>;
