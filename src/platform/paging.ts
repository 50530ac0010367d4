import type { mongo } from 'mongoose';

/** Where a page of a list ends: lists are sorted by (createdAt, _id), newest first. */
export interface Cursor {
  createdAt: Date;
  id: string;
}

export interface PageRequest {
  /** 1 to 200. */
  limit: number;
  after?: Cursor;
}

export interface Page<T> {
  items: T[];
  /** Absent on the last page. */
  next?: Cursor;
}

export const LONGEST_PAGE = 200;

/**
 * One page of a collection, along an index that ends in `createdAt: -1, _id: -1`: as cheap at the end of a list as at its beginning.
 * @param filter equality conditions that the index begins with.
 */
export async function readPage<Document extends { _id: string; createdAt: Date }>(
  collection: mongo.Collection<Document>,
  filter: mongo.Filter<Document>,
  { limit, after }: PageRequest,
  projection?: mongo.Document,
): Promise<Page<Document>> {
  const size = Math.min(Math.max(Math.trunc(limit), 1), LONGEST_PAGE);
  const beyond = after
    ? {
        createdAt: { $lte: after.createdAt },
        $or: [{ createdAt: { $lt: after.createdAt } }, { createdAt: after.createdAt, _id: { $lt: after.id } }],
      }
    : {};
  const found = (await collection
    .find({ $and: [filter, beyond] } as mongo.Filter<Document>, projection ? { projection } : {})
    .sort({ createdAt: -1, _id: -1 })
    .limit(size + 1)
    .toArray()) as unknown as Document[];
  const items = found.slice(0, size);
  const last = items.at(-1);
  return { items, ...(found.length > size && last ? { next: { createdAt: last.createdAt, id: last._id } } : {}) };
}
