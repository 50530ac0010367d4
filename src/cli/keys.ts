import type { App } from '../app.js';
import type { Config } from '../config/index.js';
import type { MethodKeys } from '../factors/contract.js';
import { type CliIo, CONFIG, CommandRefused, command } from './command.js';
import { withApp } from './with-app.js';

const OPERATOR = { type: 'operator' } as const;
/** The method whose messages are signed with keys of their own. */
const PUSH_METHOD = 'app';
const CHANGED_MEANWHILE = 'the keys were changed by somebody else at the same time: see `countersign keys list`';

const sealing = async () => ({
  ...(await import('../app.js')),
  ...(await import('../platform/reseal.js')),
  ...(await import('./open-app.js')),
});

const minutes = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function timeLeft(until: Date): string {
  const left = Math.max(1, Math.ceil((until.getTime() - Date.now()) / 60_000));
  const hours = Math.floor(left / 60);
  return hours > 0 ? `${hours} h ${left % 60} min` : `${left} min`;
}

export const listKeys = command({
  name: 'keys list',
  help: 'lists all keys by name: kind, name, algorithm, state, since when; never what they are made of',
  options: { config: CONFIG },
  run: ({ config: file }, io) =>
    withApp(file, io, async (app, config) => {
      for (const row of await rowsOf(app, config, io)) io.out(row.join('\t'));
    }),
});

async function rowsOf(app: App, config: Config, { env }: CliIo): Promise<string[][]> {
  const { SEALED, countSealed, secretsOf } = await sealing();
  const signing = (await app.keyRotation.list()).map(({ algorithm, kid, state, since, until }) => {
    const more = until ? `, published until ${minutes(until)}` : '';
    return ['signing', kid, algorithm, state, `since ${minutes(since)}${more}`];
  });
  const push = ((await app.engine.keys(PUSH_METHOD)?.list()) ?? []).map(({ algorithm, kid, state, since }) => {
    return ['push', kid, algorithm, state, `since ${minutes(since)}`];
  });
  const { sealingKeys, cookieKeys } = secretsOf(config, env);
  const counts = await countSealed(app.database, SEALED);
  const sealed = (id: string): string => `${counts.get(id) ?? 0} values sealed with it`;
  const stateAt = (index: number): string => (index === 0 ? 'current' : 'previous');
  return [
    ...signing,
    ...sealingKeys.map(({ id }, index) => ['sealing', id, 'A256GCM', stateAt(index), sealed(id)]),
    ...[...counts.keys()]
      .filter((id) => !sealingKeys.some((key) => key.id === id))
      .map((id) => ['sealing', id, 'A256GCM', 'missing', `${sealed(id)} do not open`]),
    ...cookieKeys.map((_key, index) => ['cookie', `number ${index + 1}`, 'HS256', stateAt(index), '']),
    ['index', 'the only one', 'HS256', 'current', ''],
    ...push,
  ];
}

export const rotateKeys = command({
  name: 'keys rotate',
  help: 'lets the next signing keys sign, once they have been published for a day',
  options: {
    config: CONFIG,
    emergency: { help: 'the keys are known to others: new ones at once, and all that the former ones signed is void' },
    push: { help: 'the keys of push messages instead of the signing keys' },
  },
  run: ({ config: file, emergency, push }, io) =>
    withApp(file, io, async (app) => {
      if (push) await rotatePush(app.engine.keys(PUSH_METHOD), emergency, io);
      else await rotateSigning(app, emergency, io);
    }),
});

async function rotateSigning({ keyRotation }: App, isEmergency: boolean, io: CliIo): Promise<void> {
  const outcome = await (isEmergency ? keyRotation.replaceAll(OPERATOR) : keyRotation.rotate(OPERATOR));
  if (outcome.status === 'changed_meanwhile') throw new CommandRefused([CHANGED_MEANWHILE]);
  if (outcome.status === 'too_early')
    throw new CommandRefused([
      `the next keys are not published for a day yet: possible in ${timeLeft(outcome.readyAt)}, at ${minutes(outcome.readyAt)}`,
      'when the present keys are known to others, use --emergency',
    ]);
  for (const { algorithm, kid, previousKid } of outcome.keys)
    io.out(`${algorithm}  ${kid} signs, after ${previousKid}${isEmergency ? ', which is void' : ''}`);
  for (const line of isEmergency ? AFTER_AN_EMERGENCY : AFTER_A_ROTATION) io.out(line);
}

const AFTER_A_ROTATION = [
  'Running servers take it over within 2 s. What the former keys signed stays good until it ends.',
];
const AFTER_AN_EMERGENCY = [
  'Running servers take it over within 2 s; sign-ins wait for up to 4 s until all of them publish the new keys.',
  'Void from now on: ID tokens, JWT access tokens and logout tokens that exist. Sessions, refresh tokens and opaque access tokens go on.',
  'Applications that keep the keys refuse new sign-ins, and take the former keys for good, until they fetch /jwks again:',
  'restart those that do not do so by themselves. The owners are told by mail.',
];

async function rotatePush(keys: MethodKeys | undefined, isEmergency: boolean, io: CliIo): Promise<void> {
  if (!keys) throw new CommandRefused(['the method app is not offered here: there are no keys of push messages']);
  const rotated = await keys.rotate(OPERATOR, isEmergency);
  if (!rotated) throw new CommandRefused([CHANGED_MEANWHILE]);
  io.out(`push  ${rotated.kid} signs, after ${rotated.previousKid}`);
  io.out(
    isEmergency
      ? 'Phones are not woken until their app is opened the next time; sign-ins can be confirmed all the same.'
      : 'Phones go on being woken with the former keys until their app is opened the next time.',
  );
}

export const resealSecrets = command({
  name: 'keys reseal',
  help: 'seals everything anew with the newest of COUNTERSIGN_SEALING_KEYS, beside a running server',
  options: { config: CONFIG },
  run: ({ config: file }, io) =>
    withApp(file, io, async ({ audit, database, secretBox }, config) => {
      const { SEALED, reseal, secretsOf } = await sealing();
      const [newest, ...former] = secretsOf(config, io.env).sealingKeys.map(({ id }) => id);
      const onProgress = (collection: string, count: number): void => io.err(`${collection}: ${count} so far`);
      const done = await reseal({ database, secretBox, places: SEALED, onProgress });
      const { resealed, changedMeanwhile, left, unopened } = done;
      io.out(`${resealed} values are sealed with ${newest} now.`);
      if (changedMeanwhile > 0) io.out(`${changedMeanwhile} times somebody else was faster; theirs stayed.`);
      if (resealed > 0) {
        const details = { keyId: newest ?? '', values: resealed };
        await audit.record({ type: 'secrets_resealed', actor: OPERATOR, details });
      }
      const problems = [...left].map(([id, count]) => `${count} values are still sealed with ${id}: keep that key`);
      if (unopened > 0) problems.push(`${unopened} of them do not open: their key is missing, or they were changed`);
      if (left.size > 0 && unopened === 0)
        problems.push(
          `a running server still seals with another key: restart all with ${newest} in front, then run this again`,
        );
      if (problems.length > 0) throw new CommandRefused(problems);
      for (const id of former) io.out(`${id} seals nothing any more: it can be taken out of COUNTERSIGN_SEALING_KEYS.`);
    }),
});
