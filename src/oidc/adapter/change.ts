import type { mongo } from 'mongoose';
import { isDuplicateKey } from '../../platform/database.js';
import type { Write } from './unit-of-work.js';

/** What a request has found, as JSON by path below the payload: the objects themselves are the model's to change. */
export type Found = ReadonlyMap<string, string>;
export type Fields = ReadonlyMap<string, unknown>;

const stated = (fields: Fields): [string, unknown][] => [...fields].filter(([, value]) => value !== undefined);

export const asFound = (fields: Fields): Found =>
  new Map(stated(fields).map(([path, value]) => [path, JSON.stringify(value)]));

/** MongoDB's code for an expression that cannot be converted. */
const CONVERSION_FAILURE = 241;

/** Fails where there is no document: an upsert must not make one of what a request has changed. */
const orRefuse = (value: unknown): mongo.Document => ({
  $cond: [{ $eq: [{ $type: '$expiresAt' }, 'date'] }, value, { $toDate: { $concat: ['no document ', '$_id'] } }],
});

/**
 * The stages of one update that writes what a request has changed and nothing else, so that two requests with one document keep
 * what is the other's. As an upsert it fails where the document is gone or does not meet the filter: see `refusedAs`.
 * @param more what else it sets.
 */
export function changeOf(before: Found, after: Fields, expiresAt: Date, more: mongo.Document = {}): mongo.Document[] {
  const fields = new Map(stated(after));
  const $set: mongo.Document = { expiresAt: orRefuse({ $literal: expiresAt }), ...more };
  for (const [path, value] of fields) {
    if (before.get(path) !== JSON.stringify(value)) $set[`payload.${path}`] = { $literal: value };
  }
  const gone = [...before.keys()].filter((path) => !fields.has(path)).map((path) => `payload.${path}`);
  return gone.length > 0 ? [{ $set }, { $unset: gone }] : [{ $set }];
}

/** A condition that did not hold: an upsert that met the document it was not to touch, or a change that met none. */
export const refusedAs =
  (makeError: () => Error): NonNullable<Write['refusal']> =>
  (error) =>
    isDuplicateKey(error) || (error as { code?: unknown }).code === CONVERSION_FAILURE ? makeError() : undefined;
