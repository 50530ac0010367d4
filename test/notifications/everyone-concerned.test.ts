/** Everybody concerned is told of everything, once per channel, and no channel carries what it should not. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Webhook as Verifier } from 'standardwebhooks';
import { WEBHOOK_EVENTS } from '../../src/webhooks/index.js';
import { newRequest, recoveryBrowser, signInSuspended } from '../recovery-desk/support.js';
import { type Person, person } from '../security/support.js';
import { ADMIN_APP, type Administrator, type Answer, administrator } from '../support/administrator.js';
import { RP, startApp, type TestApp } from '../support/app.js';
import { RelyingParty } from '../support/relying-party.js';
import { Receiver } from '../webhooks/receiver.js';

let app: TestApp;
let receiver: Receiver;
let olga: Administrator;
let hugo: Person;
let anna: Person;
let secret: string;

beforeAll(async () => {
  receiver = await Receiver.start();
  app = await startApp((issuer) => ({ clients: [RP, ADMIN_APP(issuer)] }));
  olga = await administrator(app, 'olga@example.com', ['owner']);
  hugo = await person(app, 'hugo@example.com');
  await app.app.accounts.grantRole(hugo.account.id, 'helpdesk');
  anna = await person(app, 'annabel@example.com');
  const made = await ok(olga.post('/webhooks', { url: receiver.url, events: WEBHOOK_EVENTS }));
  secret = made.body.secret;
  await app.mails();
  await app.database.collection('demo_mails').deleteMany({});
});
afterAll(async () => {
  await app.stop();
  await receiver.stop();
});

async function ok(answered: Promise<Answer>): Promise<Answer> {
  const answer = await answered;
  if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

async function file(browserHash: string) {
  const details = { contact: '+49 30 9018205', note: 'left on the tram' };
  const filed = await app.app.desk.file(anna.account, newRequest(browserHash, details));
  if (filed.status !== 'filed') throw new Error(filed.status);
  return filed.request;
}

/** Words that may stand nowhere outside: what people typed, what opens something, who they are. */
const unsaid: string[] = ['9018205', 'tram', 'Ask the front desk'];

async function story(): Promise<void> {
  const { id: accountId, email = '' } = anna.account;
  const path = `/accounts/${accountId}`;
  const decide = (request: string, decision: object) =>
    ok(olga.post(`/recovery-requests/${request}/decision`, decision));

  const declined = await file('another-browser');
  await decide(declined.id, { outcome: 'declined', reason: 'Ask the front desk' });
  const { browser, hash } = recoveryBrowser(app);
  const { id, number } = await file(hash);
  const approved = await decide(id, {
    outcome: 'approved',
    requestNumber: number,
    hours: 24,
    verifiedBy: 'video',
    revokeFactorIds: [anna.authenticator.factorId],
  });
  const rp = new RelyingParty(app.issuer);
  const { page, verifier } = await signInSuspended(browser, rp, 'annabel@example.com');
  await rp.tokens(page, verifier);
  const suspension = approved.body.suspension.id;
  const { body: issued } = await ok(olga.post(`/suspensions/${suspension}/access-codes`));
  await ok(olga.post(`/suspensions/${suspension}/end`, {}));
  const { body: passes } = await ok(olga.post(`${path}/access-passes`, {}));
  await ok(olga.change('DELETE', `${path}/access-passes/${passes.id}`));
  await ok(olga.change('PUT', `${path}/roles/auditor`));
  await ok(olga.change('DELETE', `${path}/roles/auditor`));
  await ok(olga.post(`${path}/suspensions`, { hours: 48 }));
  unsaid.push(declined.number, number, number.replace(' ', ''), issued.code, passes.pass, email, 'annabel');

  const mails = await app.mails();
  const { text } = mails.find(({ subject }) => subject === 'Your request was approved') ?? { text: '' };
  const link = /https?:\S+\/not-me\/\S+/.exec(text)?.[0] ?? '';
  const reader = app.browser();
  await reader.submit(await reader.open(link));
  await ok(olga.post(`${path}/deactivate`));
  await ok(olga.post(`${path}/reactivate`));
}

test('a story with everything in it', async () => {
  await story();
  const mails = await app.mails();
  const to = (account: { email?: string }) =>
    mails
      .filter((mail) => mail.to === account.email)
      .map(({ subject }) => subject)
      .sort();
  expect(to(anna.account)).toEqual(
    [
      'Your request for help was sent',
      'Your request for help was sent',
      'Your request was declined',
      'Your request was approved',
      'A login method was removed by an administrator',
      'Somebody signed in without your second step',
      'An access code was made for you',
      'Your second step is switched on again',
      'An access pass was made for you',
      'You were given a role',
      'A role was taken from you',
      'Your second step is switched off for a while',
      // "This wasn't me" ends what was running.
      'Your second step is switched on again',
    ].sort(),
  );
  const alerts = [
    'annabel cannot confirm the login',
    'annabel cannot confirm the login',
    'annabel says: this wasn’t me',
  ];
  expect(to(olga.account)).toEqual(alerts);
  expect(to(hugo.account)).toEqual(alerts);

  const messages = receiver.received.map(({ body, headers }) => {
    const read = new Verifier(secret).verify(body, headers as Record<string, string>) as { type: string; data: object };
    expect(read.data).toMatchObject({ accountId: anna.account.id });
    return read.type;
  });
  expect(messages.sort()).toEqual(
    [
      'recovery_request.filed',
      'recovery_request.filed',
      'recovery_request.declined',
      'recovery_request.approved',
      'suspension.started',
      'factor.revoked',
      'suspension.used',
      'access_code.issued',
      'suspension.ended',
      'access_pass.issued',
      'access_pass.revoked',
      'role.granted',
      'role.revoked',
      'suspension.started',
      'suspension.ended',
      'account.not_me_reported',
      'account.deactivated',
      'account.reactivated',
    ].sort(),
  );

  expect(unsaid.every((word) => word.length >= 4)).toBe(true);
  for (const { body } of receiver.received) for (const word of unsaid) expect(body).not.toContain(word);
  // Mails may say who is meant.
  for (const { subject, text, html } of mails)
    for (const word of unsaid.slice(0, -2)) expect(subject + text + html).not.toContain(word);
});

test('an administrator who asks for help is told how many others were', async () => {
  const details = newRequest('hugos-browser');
  const byAnna = await file('annas-third-browser');
  const byHugo = await app.app.desk.file(hugo.account, details);
  expect(byAnna.administratorsTold).toBe(2);
  expect(byHugo).toMatchObject({ status: 'filed', request: { administratorsTold: 1 } });
});
