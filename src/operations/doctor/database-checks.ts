import type { Clock } from '../../platform/clock.js';
import type { Database } from '../../platform/database.js';
import { ERROR, type Finding, OK, WARNING } from '../../platform/finding.js';
import type { SealedPlace } from '../../platform/sealed-places.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { createDatabaseProbe } from '../database-probe.js';
import { CLOCK_OFFSET_MS } from '../health.js';

const OLDEST_MAJOR = 6;
const NEWEST_MAJOR = 8;
const WITHIN_MS = 5_000;

/** Its kind, its version, whether it promises what is written, and what time it is there. */
export async function checkDatabase(database: Database, clock: Clock): Promise<Finding[]> {
  const admin = database.connection.getClient().db('admin');
  const [hello, build] = await Promise.all([admin.command({ hello: 1 }), admin.command({ buildInfo: 1 })]);
  const findings: Finding[] = [];
  const { setName, msg, hosts = [] } = hello as { setName?: string; msg?: string; hosts?: string[] };
  if (msg === 'isdbgrid') findings.push(OK('database: sharded cluster'));
  else if (!setName) findings.push(ERROR('database: no replica set: transactions and majority writes need one'));
  else if (hosts.length < 3)
    findings.push(
      WARNING(`database: replica set ${setName} with ${hosts.length} member(s): three survive the loss of one`),
    );
  else findings.push(OK(`database: replica set ${setName}, ${hosts.length} members`));

  const version = String(build.version);
  const major = Number.parseInt(version, 10);
  const isKnown = major >= OLDEST_MAJOR && major <= NEWEST_MAJOR;
  const range = `${OLDEST_MAJOR}.0 to ${NEWEST_MAJOR}.x`;
  findings.push(isKnown ? OK(`database: MongoDB ${version}`) : ERROR(`database: MongoDB ${version}, not ${range}`));

  const answer = await createDatabaseProbe(database, clock)(WITHIN_MS);
  if (!answer.ok) return [...findings, ERROR(`database: takes no majority write (${answer.reason})`)];
  findings.push(OK(`database: a majority write takes ${answer.ms} ms`));
  const isOff = Math.abs(answer.offsetMs) - answer.ms / 2 >= CLOCK_OFFSET_MS;
  const clocks = `clock: ${answer.offsetMs} ms off the database's`;
  findings.push(isOff ? ERROR(`${clocks}: let NTP set both`) : OK(clocks));
  return findings;
}

/** Whether what is stored opens with these keys: the newest document of each place. */
export async function checkSealed(
  database: Database,
  secretBox: SecretBox,
  places: readonly SealedPlace[],
): Promise<Finding[]> {
  const unopened: string[] = [];
  let opened = 0;
  for (const { collection, where = {}, fields, valuesIn } of places) {
    const projection = Object.fromEntries(fields.map((field) => [field, 1]));
    const [document] = await database
      .collection(collection)
      .find(where, { projection })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    for (const { sealed, context, path } of document ? valuesIn(document as never) : []) {
      if (!sealed) continue;
      try {
        secretBox.open(sealed, context);
        opened += 1;
      } catch {
        unopened.push(`${collection}.${path}`);
      }
    }
  }
  if (unopened.length === 0) return [OK(`sealed values: ${opened} looked at, all open with these keys`)];
  return [ERROR(`sealed values: ${unopened.join(', ')} do not open: COUNTERSIGN_SEALING_KEYS lacks their key`)];
}
