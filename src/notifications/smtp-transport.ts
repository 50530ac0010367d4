import { createTransport } from 'nodemailer';
import type { Transport } from './mail.js';

export interface SmtpSettings {
  host: string;
  port: number;
  /** True: TLS from the first byte (RFC 8314). False: STARTTLS where offered, and demanded when there is a password to protect. */
  secure: boolean;
  user?: string;
  password?: string;
  /** `Name <address>`. */
  from: string;
}

/** So that a relay that is away costs a worker seconds, not minutes. */
const TIMEOUT_MS = 5_000;

/** Mail through an SMTP relay. The only importer of nodemailer. */
export function smtpTransport({ host, port, secure, user, password, from }: SmtpSettings): Transport {
  const credentials = user !== undefined ? { user, pass: password ?? '' } : undefined;
  const transporter = createTransport({
    host,
    port,
    secure,
    requireTLS: !secure && credentials !== undefined,
    ...(credentials ? { auth: credentials } : {}),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    dnsTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost';
  return {
    async send({ id, to, subject, text, html }) {
      await transporter.sendMail({
        from,
        to: { name: '', address: to },
        subject,
        text,
        html,
        messageId: `<${id}@${domain}>`,
        // RFC 3834 section 5: keeps out-of-office replies away.
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    },
    verify: () => transporter.verify(),
    close: () => transporter.close(),
  };
}
