/** A provider that is nothing but a description in the configuration. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { MESSAGE, makeProviders, nobody, type SomeServer, someServer, trickle } from './providers-support.js';

const servers: SomeServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function server(answer: Parameters<typeof someServer>[0]): Promise<SomeServer> {
  const made = await someServer(answer);
  servers.push(made);
  return made;
}

const ok = () => server((response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));

const JSON_BODY = {
  json: { messages: [{ to: '{to}', content: 'Text: {text}', reference: '{id}' }], count: 1, test: false },
};

const settings = (url: string, more: Record<string, unknown> = {}) => ({
  name: 'second',
  type: 'http',
  url,
  body: JSON_BODY,
  timeoutMs: 400,
  ...more,
});

const provider = (url: string, more: Record<string, unknown> = {}, deps = {}) =>
  makeProviders([settings(url, more)], deps).find('second');

/** What would break out of a value that is glued into a template. */
const NASTY = { id: 'id-1&x=y', to: '+4915123456789', text: '"}],"to":"+1{to}{id}&to=1\n\u2028€ß\\' };

describe('a message', () => {
  it('goes out as JSON, its values being values', async () => {
    const { url, received } = await ok();
    expect(await provider(url)?.send(NASTY)).toEqual({ status: 'accepted' });
    expect(received[0]?.method).toBe('POST');
    expect(received[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      messages: [{ to: NASTY.to, content: `Text: ${NASTY.text}`, reference: NASTY.id }],
      count: 1,
      test: false,
    });
  });

  it('goes out as a form', async () => {
    const { url, received } = await ok();
    const form = { to: '{toDigits}', text: '{text}', sender: 'Example' };
    expect(await provider(url, { method: 'PUT', body: { form } })?.send(NASTY)).toEqual({ status: 'accepted' });
    expect(received[0]?.method).toBe('PUT');
    expect(received[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded');
    expect([...new URLSearchParams(received[0]?.body)]).toEqual([
      ['to', NASTY.to.slice(1)],
      ['text', NASTY.text],
      ['sender', 'Example'],
    ]);
  });

  it('goes out with headers, secrets among them: a brace in a secret is a brace', async () => {
    const { url, received } = await ok();
    const headers = {
      authorization: { secret_env: 'SECOND_TOKEN', prefix: 'Bearer ' },
      'x-key': { secret_env: 'SECOND_KEY' },
      'idempotency-key': 'message-{id}',
    };
    const secret = (variable: string) => ({ SECOND_TOKEN: 'a{to}b', SECOND_KEY: 'key {text}' })[variable];
    await provider(url, { headers }, { secret })?.send(MESSAGE);
    expect(received[0]?.headers).toMatchObject({
      authorization: 'Bearer a{to}b',
      'x-key': 'key {text}',
      'idempotency-key': 'message-msg-1',
    });
  });

  it.each([
    ['a.b.0.id', { a: { b: [{ id: 'x-1' }] } }, 'x-1'],
    ['id', { id: 17 }, '17'],
    ['id', { id: 'x'.repeat(201) }, undefined],
    ['id', { id: { deeper: 1 } }, undefined],
    ['a.b', { a: null }, undefined],
    ['constructor.name', {}, undefined],
    ['id', 'no object', undefined],
  ])('has the id at %s', async (messageIdPath, answer, expected) => {
    const { url } = await server((response) => response.writeHead(202).end(JSON.stringify(answer)));
    expect(await provider(url, { messageIdPath })?.send(MESSAGE)).toEqual({
      status: 'accepted',
      ...(expected ? { providerMessageId: expected } : {}),
    });
  });

  it.each<[string, Parameters<typeof someServer>[0]]>([
    ['is no JSON', (response) => response.writeHead(200).end('<html>')],
    ['is too long', (response) => response.writeHead(200).end(`{"id":"1","x":"${'x'.repeat(200_000)}"}`)],
    ['does not end', (response) => trickle(response, 200)],
  ])('is accepted without an id where the answer %s', async (_name, answer) => {
    const { url } = await server(answer);
    const start = performance.now();
    expect(await provider(url, { messageIdPath: 'id' })?.send(MESSAGE)).toEqual({ status: 'accepted' });
    expect(performance.now() - start).toBeLessThan(900);
  });
});

describe('what was not taken', () => {
  const refused = (code: string) => ({ status: 'refused', reason: 'provider_trouble', code, isAboutNumber: false });

  it.each([
    [204, refused('HTTP_204')],
    [400, refused('HTTP_400')],
    [401, refused('HTTP_401')],
    [422, refused('HTTP_422')],
    [429, refused('HTTP_429')],
    [503, refused('HTTP_503')],
    [500, { status: 'unknown', code: 'HTTP_500' }],
    [502, { status: 'unknown', code: 'HTTP_502' }],
    [504, { status: 'unknown', code: 'HTTP_504' }],
  ])('%i', async (status, expected) => {
    const { url } = await server((response) => response.writeHead(status).end());
    expect(await provider(url)?.send(MESSAGE)).toEqual(expected);
  });

  it('is taken where the configuration counts its status', async () => {
    const { url } = await server((response) => response.writeHead(204).end());
    expect(await provider(url, { success: [204] })?.send(MESSAGE)).toEqual({ status: 'accepted' });
  });

  it('is refused where nobody listens, and unknown where no answer comes or it breaks off', async () => {
    expect(await provider(await nobody())?.send(MESSAGE)).toEqual(refused('ECONNREFUSED'));
    const silent = await server(() => undefined);
    const start = performance.now();
    expect(await provider(silent.url, { timeoutMs: 200 })?.send(MESSAGE)).toEqual({
      status: 'unknown',
      code: 'TIMEOUT',
    });
    expect(performance.now() - start).toBeLessThan(700);
    const breaking = await server((response) => response.destroy());
    expect(await provider(breaking.url)?.send(MESSAGE)).toMatchObject({ status: 'unknown' });
  });

  it('is sent nowhere else: no redirect is followed', async () => {
    const elsewhere = await ok();
    const { url } = await server((response) => response.writeHead(308, { location: elsewhere.url }).end());
    expect(await provider(url)?.send(MESSAGE)).toEqual(refused('HTTP_308'));
    expect(elsewhere.received).toEqual([]);
  });
});
