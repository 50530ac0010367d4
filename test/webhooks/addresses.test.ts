import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { postJson } from '../../src/platform/post.js';
import { isPublicAddress } from '../../src/platform/public-addresses.js';
import { createAddressRules } from '../../src/webhooks/addresses.js';
import { Receiver } from './receiver.js';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.start();
});
afterAll(() => receiver.stop());

describe('an address', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.8.8.8',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'localhost',
    '',
  ])('%s is not on the internet', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each(['8.8.8.8', '100.63.255.255', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001::8a'])(
    '%s is',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('a URL', () => {
  const rules = createAddressRules({
    issuer: 'https://id.example',
    privateOrigins: ['http://hooks.corp:8080', 'https://10.0.0.7'],
  });
  test.each([
    ['https://hooks.example/in?x=1', undefined],
    ['https://93.184.215.14/', undefined],
    ['http://hooks.corp:8080/in', undefined],
    ['https://10.0.0.7/in', undefined],
    ['https://10.0.0.7:8443/in', 'private_address'],
    ['http://hooks.example/', 'not_https'],
    ['http://localhost/', 'not_https'],
    ['https://localhost/', 'private_address'],
    ['https://a.localhost/', 'private_address'],
    ['https://127.0.0.1/', 'private_address'],
    ['https://2130706433/', 'private_address'],
    ['https://0x7f.1/', 'private_address'],
    ['https://[::1]/', 'private_address'],
    ['https://[::ffff:127.0.0.1]/', 'private_address'],
    ['https://[fe80::1]/', 'private_address'],
    ['https://169.254.169.254/latest/meta-data', 'private_address'],
    ['https://user:secret@hooks.example/', 'has_credentials'],
    ['ftp://hooks.example/', 'malformed'],
    ['https://hooks.example/#part', 'malformed'],
    ['hooks.example', 'malformed'],
    [`https://hooks.example/${'a'.repeat(2_000)}`, 'malformed'],
  ])('%s: %s', (url, problem) => {
    expect(rules.problemOf(url)).toBe(problem);
  });

  test('on this machine is fine while the issuer is there too', () => {
    const atHome = createAddressRules({ issuer: 'http://localhost:4000', privateOrigins: [] });
    expect(atHome.problemOf('http://localhost:5000/in')).toBeUndefined();
    expect(atHome.problemOf('http://127.0.0.1:5000/in')).toBeUndefined();
    expect(atHome.problemOf('http://10.0.0.1/in')).toBe('not_https');
    expect(atHome.problemOf('https://10.0.0.1/in')).toBe('private_address');
  });
});

describe('a connection', () => {
  const headers = {};
  const lookup = createAddressRules({ issuer: 'https://id.example', privateOrigins: [] }).lookupFor(
    new URL('https://hooks.example'),
  );
  if (!lookup) throw new Error('nothing judges');
  test('to a name that leads to this machine is refused before the first byte', async () => {
    const url = new URL(receiver.url.replace('127.0.0.1', 'localhost'));
    await expect(postJson(url, '{}', { headers, lookup })).rejects.toMatchObject({
      code: 'PRIVATE_ADDRESS',
    });
    expect(receiver.received).toHaveLength(0);
    expect(await postJson(url, '{}', { headers })).toBe(204);
  });

  test('to a name that does not exist fails with the code of the name server', async () => {
    const url = new URL('https://nowhere.invalid/');
    await expect(postJson(url, '{}', { headers, lookup })).rejects.toMatchObject({
      code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/),
    });
  });

  test('on which nobody answers is given up', async () => {
    receiver.answer = () => undefined;
    await expect(postJson(new URL(receiver.url), '{}', { headers, timeoutMs: 100 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
  });

  test('with an answer that never ends is cut off', async () => {
    let closed: () => void = () => {};
    const isCut = new Promise<void>((resolve) => {
      closed = resolve;
    });
    receiver.answer = (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'.repeat(1024)), 1);
      response.on('close', () => {
        clearInterval(timer);
        closed();
      });
    };
    expect(await postJson(new URL(receiver.url), '{}', { headers })).toBe(200);
    await isCut;
  });
});
