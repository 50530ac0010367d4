import { expect } from '@jest/globals';
import type { Account } from '../../src/accounts/contract.js';
import { administrator, approval, request } from '../admin/console/support.js';
import type { TestApp } from '../support/app.js';

/** Everything that an administrator looks at and does in the console, and so whatever it asks the management API for. */
export async function consoleJourney(app: TestApp, account: Account): Promise<void> {
  const { browser } = await administrator(app, 'owner@example.com', ['owner']);
  const asked = await request(app, account);
  const person = `/console/people/${account.id}`;
  const submit = async (path: string, form: Record<string, string>): Promise<void> => {
    const page = await browser.submit(await browser.open(path), form, new RegExp(`${path}$`));
    expect({ path, status: page.status }).toEqual({ path, status: 200 });
  };
  await submit(`/console/requests/${asked.id}`, approval(asked.number));
  await submit(`${person}/access-code`, {});
  await submit(`${person}/end-suspension`, { reason: '' });
  await submit(`${person}/access-pass`, {});
  await submit('/console/new-client', { name: 'Wiki', kind: 'server', redirectUris: 'https://w.example/cb' });
  await submit('/console/sms/countries/LV/open', {});
  for (const path of [
    '/console',
    '/console?state=approved',
    '/console?state=all',
    '/console/people',
    '/console/people?q=ow&group=none&state=active&covered=true',
    person,
    `${person}?tab=sessions`,
    `${person}?tab=requests`,
    `${person}?tab=audit`,
    '/console/overview',
    '/console/sms',
    '/console/audit',
    '/console/audit?type=role_granted',
    `/console/audit?actor=${account.id}`,
    `/console/audit?target=${account.id}&type=suspension_started`,
    '/console/audit?since=2026-01-01&until=2099-01-01',
    '/console/clients',
  ]) {
    const page = await browser.open(path);
    expect({ path, status: page.status }).toEqual({ path, status: 200 });
  }
  await browser.submit(await browser.open('/console'), {}, /sign-out$/);
}
