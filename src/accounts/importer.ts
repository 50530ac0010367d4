import type { mongo } from 'mongoose';
import type { AuditEvent, AuditLog } from '../audit/contract.js';
import type { Clock } from '../platform/clock.js';
import { type Database, isDuplicateKey, type Unit } from '../platform/database.js';
import type { Random } from '../platform/random.js';
import type { AdoptedFactor, FactorAdoption, Importer, ImportRow, RowResult } from './import-contract.js';
import { problemsOf } from './import-problems.js';
import { normaliseLogin } from './login.js';
import { ACCOUNTS_COLLECTION, type AccountDocument } from './model.js';
import { newDocument } from './new-account.js';
import type { Passwords } from './passwords.js';

/** A row that can be stored. */
interface Prepared {
  row: ImportRow;
  document: AccountDocument;
  factors: AdoptedFactor[];
}

type Candidate = Prepared | Extract<RowResult, { result: 'error' }>;

const ACTOR: AuditEvent['actor'] = { type: 'operator' };
const TAKEN: RowResult = { result: 'error', problems: [{ field: 'login', reason: 'is taken by another account' }] };

export function createImporter(deps: {
  database: Database;
  clock: Clock;
  random: Random;
  passwords: Passwords;
  audit: AuditLog;
  adoption: FactorAdoption;
  /** The name of the system that they come from. */
  source: string;
  /** Tells other tools of an account, in one unit with it; nothing where none wants to hear. */
  announce?(accountId: string, unit: Unit): Promise<void>;
}): Importer {
  const { database, clock, random, passwords, audit, adoption, source } = deps;
  const accounts = database.collection<AccountDocument>(ACCOUNTS_COLLECTION);

  const prepare = async (row: ImportRow): Promise<Candidate> => {
    const id = random.bytes(16).toString('hex');
    const { records, coverage, problems } = await adoption.adopt(id, row.factors);
    const all = [
      ...problemsOf(row, coverage.covered),
      ...problems.map(({ index, reason }) => ({ field: row.factors[index]?.field ?? 'factors', reason })),
    ];
    if (all.length > 0) return { result: 'error', problems: all };
    const { externalId, passwordHash } = row;
    const now = clock.now();
    const document: AccountDocument = {
      ...newDocument(id, row, now),
      coverage,
      source: { name: source, ...(externalId === undefined ? {} : { id: externalId }) },
      ...(passwordHash === undefined ? {} : { password: { hash: passwordHash, isImported: true, changedAt: now } }),
    };
    return { row, document, factors: records };
  };

  /** One after the other: more at once would not be faster, and would stand before the gate for those who sign in. */
  const hashPasswords = async (prepared: readonly Prepared[]): Promise<void> => {
    for (const { row, document } of prepared) {
      if (row.password === undefined || document.password) continue;
      document.password = { hash: await passwords.hash(row.password), changedAt: document.createdAt };
    }
  };

  /** What is there already of these rows. */
  const known = async (prepared: readonly Prepared[]): Promise<Map<Prepared, RowResult>> => {
    const logins = prepared.map(({ document }) => document.login);
    const ids = prepared.flatMap(({ row }) => row.externalId ?? []);
    const projection = { login: 1, source: 1 };
    const [byLogin, byId, held] = await Promise.all([
      accounts.find({ login: { $in: logins } }, { projection }).toArray(),
      ids.length > 0
        ? accounts.find({ 'source.name': source, 'source.id': { $in: ids } }, { projection }).toArray()
        : [],
      adoption.held(prepared.flatMap(({ factors }) => factors)),
    ]);
    const ofLogin = new Map(byLogin.map((account) => [account.login, account]));
    const ofId = new Map(byId.map((account) => [account.source?.id, account]));
    const results = new Map<Prepared, RowResult>();
    for (const one of prepared) {
      const { externalId } = one.row;
      const same = externalId === undefined ? undefined : ofId.get(externalId);
      const there = same ?? ofLogin.get(one.document.login);
      const taken = one.factors.findIndex(({ _id }) => held.has(_id));
      if (there) {
        const isSame = there.source?.name === source && there.source.id === externalId;
        results.set(one, isSame ? { result: 'exists', id: there._id } : TAKEN);
      } else if (taken >= 0) {
        const field = one.row.factors[taken]?.field ?? 'factors';
        results.set(one, { result: 'error', problems: [{ field, reason: 'belongs to another account' }] });
      }
    }
    return results;
  };

  const insert = (all: readonly Prepared[]): Promise<void> =>
    database.transaction(async (unit) => {
      const documents = all.map(({ document }) => document) as mongo.OptionalUnlessRequiredId<AccountDocument>[];
      await accounts.insertMany(documents, { session: unit.session });
      await adoption.insert(
        all.flatMap(({ factors }) => factors),
        unit,
      );
      await audit.recordAll(all.flatMap(eventsOf), unit);
      for (const { document } of all) await deps.announce?.(document._id, unit);
    });

  const insertOne = async (one: Prepared): Promise<RowResult> => {
    try {
      await insert([one]);
      return { result: 'ok', id: one.document._id };
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      // Somebody else made it, or took what it brings along, in this moment.
      return (await known([one])).get(one) ?? TAKEN;
    }
  };

  const insertAll = async (fresh: readonly Prepared[]): Promise<RowResult[]> => {
    if (fresh.length === 0) return [];
    try {
      await insert(fresh);
      return fresh.map(({ document }) => ({ result: 'ok', id: document._id }));
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const results: RowResult[] = [];
      for (const one of fresh) results.push(await insertOne(one));
      return results;
    }
  };

  const judged = async (rows: readonly ImportRow[]) => {
    const candidates: Candidate[] = [];
    for (const row of rows) candidates.push(await prepare(row));
    const prepared = candidates.filter((one): one is Prepared => 'document' in one);
    return { candidates, prepared, there: await known(prepared) };
  };

  return {
    async judge(rows) {
      const { candidates, there } = await judged(rows);
      return candidates.map((one) =>
        'document' in one ? (there.get(one) ?? { result: 'ok', id: one.document._id }) : one,
      );
    },

    async store(rows) {
      const { candidates, prepared, there } = await judged(rows);
      const fresh = prepared.filter((one) => !there.has(one));
      await hashPasswords(fresh);
      const stored = await insertAll(fresh);
      const results = new Map(fresh.map((one, index) => [one, stored[index] as RowResult]));
      return candidates.map((one) => ('document' in one ? (there.get(one) ?? (results.get(one) as RowResult)) : one));
    },
  };

  function eventsOf({ document: { _id: accountId }, factors }: Prepared): AuditEvent[] {
    return [
      { type: 'user_created', accountId, actor: ACTOR, details: { importedFrom: source } },
      ...factors.map(({ _id: factorId, method, label }) => ({
        type: 'factor_enrolled' as const,
        accountId,
        actor: ACTOR,
        details: { method, factorId, label, importedFrom: source },
      })),
    ];
  }
}

/** The form in which logins of one source are the same. */
export const importedLogin = (row: Pick<ImportRow, 'login'>): string => normaliseLogin(row.login);
