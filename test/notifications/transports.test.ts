import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ensureStoredMailIndexes,
  findStoredMail,
  listStoredMails,
  smtpTransport,
  storedTransport,
} from '../../src/notifications/index.js';
import { FakeClock } from '../support/clock.js';
import { testDatabase } from '../support/database.js';

const MAIL = {
  id: 'mail-1',
  to: 'anna@example.com',
  subject: 'Grüße',
  text: 'A link: https://issuer.test/x\n.\nThe end',
  html: '<p>A link</p>',
};

/** The part of RFC 5321 that a client needs, without TLS and without authentication. */
class SmtpStandIn {
  readonly envelopes: { from: string; to: string; data: string }[] = [];
  readonly commands: string[] = [];
  refuseRecipients = false;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => this.talk(socket));

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.server.listen(0, '127.0.0.1', () => resolve((this.server.address() as { port: number }).port));
    });
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private talk(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => {});
    const say = (line: string) => socket.write(`${line}\r\n`);
    let envelope = { from: '', to: '', data: '' };
    let inData = false;
    let rest = '';
    say('220 stand-in');
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (inData && line !== '.') envelope.data += `${line}\n`;
        else if (inData) {
          inData = false;
          this.envelopes.push(envelope);
          envelope = { from: '', to: '', data: '' };
          say('250 taken');
        } else {
          this.commands.push(line);
          const verb = line.slice(0, 4).toUpperCase();
          if (verb === 'MAIL') envelope.from = line;
          if (verb === 'RCPT') envelope.to = line;
          if (verb === 'DATA') {
            inData = true;
            say('354 go on');
          } else if (verb === 'RCPT' && this.refuseRecipients) say('550 5.1.1 no such mailbox');
          else say(verb === 'QUIT' ? '221 bye' : '250 ok');
        }
      }
    });
  }
}

describe('SMTP', () => {
  let relay: SmtpStandIn;
  let port: number;
  const settings = () => ({ host: '127.0.0.1', port, secure: false, from: 'Countersign <no-reply@example.com>' });

  beforeAll(async () => {
    relay = new SmtpStandIn();
    port = await relay.listen();
  });
  afterEach(() => {
    relay.refuseRecipients = false;
  });
  afterAll(() => relay.close());

  test('hands the mail over: envelope, both bodies, a stable Message-ID', async () => {
    const transport = smtpTransport(settings());
    await transport.send(MAIL);
    transport.close?.();
    const [envelope] = relay.envelopes;
    expect(envelope?.from).toContain('<no-reply@example.com>');
    expect(envelope?.to).toContain('<anna@example.com>');
    expect(envelope?.data).toMatch(/^Message-ID: <mail-1@example\.com>$/m);
    expect(envelope?.data).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(envelope?.data).toContain('text/plain');
    expect(envelope?.data).toContain('text/html');
    expect(envelope?.data).toContain('The end');
  });

  test('rejects with a code when the relay refuses the recipient', async () => {
    relay.refuseRecipients = true;
    await expect(smtpTransport(settings()).send(MAIL)).rejects.toMatchObject({ code: 'EENVELOPE', responseCode: 550 });
  });

  test('never sends a password over a connection without TLS', async () => {
    const from = relay.commands.length;
    const transport = smtpTransport({ ...settings(), user: 'mailer', password: 'relay-password' });
    await expect(transport.send(MAIL)).rejects.toThrow();
    expect(relay.commands.slice(from).join('\n')).not.toMatch(/AUTH/);
  });

  test('rejects at once when nobody listens', async () => {
    const gone = new SmtpStandIn();
    const port = await gone.listen();
    await gone.close();
    await expect(smtpTransport({ ...settings(), port }).send(MAIL)).rejects.toMatchObject({ code: 'ESOCKET' });
  });

  test('gives up on a relay that accepts and says nothing', async () => {
    const mute = createServer(() => {});
    const port = await new Promise<number>((resolve) => {
      mute.listen(0, '127.0.0.1', () => resolve((mute.address() as { port: number }).port));
    });
    const begun = Date.now();
    await expect(smtpTransport({ ...settings(), port }).send(MAIL)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    expect(Date.now() - begun).toBeLessThan(8_000);
    mute.close();
  });

  test('does not let a subject smuggle a header in', async () => {
    const seen = relay.envelopes.length;
    await smtpTransport(settings()).send({ ...MAIL, subject: 'Hello\r\nBcc: eve@example.com' });
    expect(relay.envelopes[seen]?.data).not.toMatch(/^Bcc:/m);
    expect(relay.commands.join('\n')).not.toContain('eve@');
  });
});

describe('the stored transport', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  beforeAll(async () => {
    database = await testDatabase();
    await ensureStoredMailIndexes(database);
  });
  afterAll(() => database.drop());

  test('keeps mails newest first, and a mail sent twice once', async () => {
    const clock = new FakeClock();
    const transport = storedTransport(database, clock);
    await transport.send(MAIL);
    clock.advance(1);
    await transport.send({ ...MAIL, id: 'mail-2', subject: 'Second' });
    await transport.send(MAIL);
    expect((await listStoredMails(database)).map(({ _id }) => _id)).toEqual(['mail-2', 'mail-1']);
    expect(await findStoredMail(database, 'mail-2')).toMatchObject({ subject: 'Second', to: MAIL.to });
    expect(await findStoredMail(database, 'mail-3')).toBeUndefined();
  });
});
