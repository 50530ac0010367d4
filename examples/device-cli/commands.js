// @ts-check
import { DeviceClient, DeviceError, detailsOf, issuerFrom, pairingFrom } from './client.js';
import { parseCommandLine } from './command-line.js';
import { eachChange } from './listening.js';
import { printable, sentenceFor } from './sentences.js';
import { AccountFile } from './store.js';

export const USAGE = `Usage: device-cli <command> [--store FILE] [--account LOGIN]

  pair <link>                   set this phone up with the link of the QR code
  pair --issuer URL --login LOGIN --code XXXX-XXXX
                                the same, typed; --model NAME says what phone it is
  list                          sign-ins that wait for an answer
  watch                         the same as soon as there is one, until it is interrupted
  approve <id> <number>         confirm one with the number on its page
  not-now <id>                  leave one alone
  not-me <id>                   "it wasn't me": ends it, and raises the alarm
  code                          the verification code, without a network
  status                        what the server knows of this phone
  forget                        end the trust in this phone
`;

const POLL_MS = 2_000;
const ANSWERED = {
  approved: 'Approved.',
  postponed: 'Left alone; the page offers other ways.',
  denied: 'Denied. You and the administrators are told.',
};

/**
 * @typedef {object} Terminal
 * @property {(line: string) => void} out
 * @property {(line: string) => void} err
 * @property {(ms: number) => Promise<unknown>} pause
 * @property {typeof fetch} [fetch]
 * @property {() => number} [now]
 *
 * @typedef {object} Call one command with what it works on
 * @property {Terminal} terminal
 * @property {AccountFile} file
 * @property {string[]} words what follows the command
 * @property {Record<string, string | undefined>} options
 */

/** @param {string} message */
const notLikeThat = (message) => new DeviceError('NOT_LIKE_THAT', message);

/** @param {DeviceClient} client */
const nameOf = (client) => printable(`${client.account?.login} at ${client.issuerName}`);

/** The accounts of the file; of `--account` alone when it is given. @param {Call} call */
async function clientsOf({ file, options, terminal }) {
  const accounts = (await file.read()).filter(
    ({ account, deviceId }) => deviceId && (options.account === undefined || account?.login === options.account),
  );
  if (accounts.length === 0) throw notLikeThat('no such account on this phone: "pair" comes first');
  return Promise.all(accounts.map((one) => DeviceClient.restore(one, terminal)));
}

/**
 * Does it for every account: one that fails keeps no other from its turn.
 *
 * @param {Call} call
 * @param {(client: DeviceClient) => Promise<void> | void} act
 * @returns whether it worked for all
 */
async function forEach(call, act) {
  let isFine = true;
  for (const client of await clientsOf(call)) {
    call.terminal.out(nameOf(client));
    try {
      await act(client);
      await call.file.put(client.toStored());
    } catch (error) {
      isFine = false;
      call.terminal.err(`  ${sentenceFor(error)}`);
    }
    if (client.isClockOff) call.terminal.err('  The clock of this machine is wrong.');
  }
  return isFine;
}

/** @param {Call} call @returns {Promise<{ client: DeviceClient, code: import('./client.js').PairingCode }>} */
async function pairingOf({ words, options, terminal }) {
  const { issuer, login, code } = options;
  if (words[0] !== undefined) {
    const scanned = pairingFrom(words[0]);
    return { client: await DeviceClient.create(scanned.issuer, terminal), code: { code: scanned.code } };
  }
  if (!issuer || !login || !code) throw notLikeThat('pair needs a link, or --issuer, --login and --code');
  return { client: await DeviceClient.create(issuerFrom(issuer), terminal), code: { login, typedCode: code } };
}

/** @param {Call} call */
async function pair(call) {
  const { terminal, file, options } = call;
  const { client, code } = await pairingOf(call);
  const { digits, expiresAt } = await client.pair(code, options.model ? { model: options.model } : {});
  await file.put(client.toStored());
  terminal.out(nameOf(client));
  terminal.out(`  Type these digits on the computer: ${digits.slice(0, 3)} ${digits.slice(3)}`);
  terminal.out(`  Waiting until ${expiresAt}`);
  try {
    let state = await client.status();
    while (state.state === 'pending') {
      await terminal.pause(POLL_MS);
      state = await client.status();
    }
    await file.put(client.toStored());
    terminal.out(`  This phone is trusted now, as "${printable(state.label)}".`);
  } catch (error) {
    // Too late, or wrong digits: the key is worth nothing.
    if (error instanceof DeviceError && error.code === 'DEVICE_REFUSED') await file.forget(client.toStored());
    throw error;
  }
  return true;
}

/** @param {Call} call */
const list = (call) =>
  forEach(call, async (client) => {
    const challenges = await client.list();
    if (challenges.length === 0) call.terminal.out('  Nothing waits for an answer.');
    for (const one of challenges) show(call, one);
  });

/** @param {Call} call */
async function watch(call) {
  const clients = await clientsOf(call);
  await Promise.all(
    clients.map(async (client) => {
      /** @type {Set<string>} */
      const shown = new Set();
      await eachChange(client, call.terminal, async () => {
        const news = (await client.list()).filter(({ id }) => !shown.has(id));
        if (news.length > 0) call.terminal.out(nameOf(client));
        for (const one of news) {
          shown.add(one.id);
          show(call, one);
        }
      });
    }),
  );
  return true;
}

/** @param {Call} call @param {import('./client.js').Challenge} challenge */
function show({ terminal }, challenge) {
  const { application, browser, place, ip, at } = detailsOf(challenge);
  terminal.out(`  ${printable(challenge.id)}`);
  for (const [name, value] of Object.entries({ application, browser, place, ip, at })) {
    if (value !== undefined) terminal.out(`    ${name.padEnd(12)}${printable(value)}`);
  }
  terminal.out(`    number      ${challenge.digits} digits, until ${printable(challenge.expiresAt)}`);
}

/** @param {import('./client.js').Decision} decision */
const answer = (decision) => /** @param {Call} call */ async (call) => {
  const [id, ...number] = call.words;
  const typed = decision === 'approve' ? number.join('') : undefined;
  if (id === undefined || typed === '') throw notLikeThat('an id is needed, and a number to approve');
  for (const client of await clientsOf(call)) {
    const challenge = (await client.list()).find((one) => one.id === id);
    if (!challenge) continue;
    call.terminal.out(nameOf(client));
    show(call, challenge);
    call.terminal.out(ANSWERED[await client.answer(challenge, decision, typed)]);
    return true;
  }
  throw new DeviceError('REFUSED', 'not in any list');
};

/** @param {Call} call */
const code = (call) =>
  forEach(call, (client) => {
    const { code: digits, secondsLeft } = client.offlineCode();
    call.terminal.out(`  ${digits} for another ${secondsLeft} s`);
  });

/** @param {Call} call */
const status = (call) =>
  forEach(call, async (client) => {
    const { state, label, push } = await client.status();
    call.terminal.out(`  "${printable(label)}", ${state}; push messages: ${push.state}`);
  });

/** @param {Call} call */
async function forget(call) {
  const clients = await clientsOf(call);
  const [client] = clients;
  if (!client || clients.length > 1) throw notLikeThat('there are several accounts: say which with --account');
  try {
    await client.remove();
  } catch (error) {
    // Not trusted any more, or not yet: then there is nothing to end.
    if (!(error instanceof DeviceError && ['DEVICE_REFUSED', 'REFUSED'].includes(error.code))) throw error;
  }
  await call.file.forget(client.toStored());
  call.terminal.out(`${nameOf(client)} is forgotten.`);
  return true;
}

/** @type {Readonly<Record<string, (call: Call) => Promise<boolean>>>} */
const COMMANDS = {
  pair,
  list,
  watch,
  approve: answer('approve'),
  'not-now': answer('not_now'),
  'not-me': answer('not_me'),
  code,
  status,
  forget,
};

/**
 * @param {readonly string[]} argv without node and the file
 * @param {Terminal} terminal
 * @returns {Promise<0 | 1>} the exit code
 */
export async function run(argv, terminal) {
  try {
    const { words, options } = parseCommandLine(argv);
    const [name = '', ...rest] = words;
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) {
      terminal.err(USAGE);
      return 1;
    }
    const file = new AccountFile(options.store ?? 'device-cli.json');
    return (await command({ terminal, file, words: rest, options })) ? 0 : 1;
  } catch (error) {
    terminal.err(sentenceFor(error));
    return 1;
  }
}
