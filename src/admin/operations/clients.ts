import { AppError } from '../../errors.js';
import { type Clock, inSeconds } from '../../platform/clock.js';
import type { Database, Unit } from '../../platform/database.js';
import type { Random } from '../../platform/random.js';
import type { DeskActor } from '../../recovery-desk/contract.js';
import type { Tell } from './telling.js';

/** 256 bits; base64url keeps to the characters that every client library sends unharmed. */
const SECRET_BITS = 256;
/** For as long after a rotation both secrets are good. */
const OVERLAP_SECONDS = 24 * 3_600;

export type ClientMetadata = Record<string, unknown> & { client_id: string };

/** An application that was registered here, without its secrets. */
export interface RegisteredClient {
  metadata: ClientMetadata;
  createdAt: Date;
  updatedAt: Date;
  version: number;
  previousSecretUntil?: Date;
}

/** The registered applications, as far as they are changed: by the store of the provider. */
export interface ChangeableClients {
  register(metadata: ClientMetadata, unit: Unit): Promise<boolean>;
  rotate(id: string, version: number, secret: string, until: Date, unit: Unit): Promise<RegisteredClient | undefined>;
  unregister(id: string, version: number, unit: Unit): Promise<boolean>;
}

/** What is done to registered applications, by whoever: each is one transaction with what is written down of it. */
export interface ClientOperations {
  /** @returns its secret, if it has one. @throws AppError CLIENT_ID_TAKEN */
  register(metadata: ClientMetadata, by: DeskActor): Promise<string | undefined>;
  /** The secret before works for another day. Undefined when it was changed meanwhile. @throws AppError CLIENT_WITHOUT_SECRET */
  rotateSecret(
    client: Pick<RegisteredClient, 'metadata' | 'version'>,
    by: DeskActor,
  ): Promise<{ client: RegisteredClient; secret: string } | undefined>;
  /** False when it was changed meanwhile. */
  remove(client: Pick<RegisteredClient, 'metadata' | 'version'>, by: DeskActor): Promise<boolean>;
}

export interface ClientOperationsDeps {
  database: Database;
  clock: Clock;
  random: Random;
  clients: ChangeableClients;
  /** Of the configuration file and of the server itself. */
  reservedClientIds: readonly string[];
}

export const hasSecret = (metadata: Record<string, unknown>): boolean =>
  !['none', 'private_key_jwt'].includes(String(metadata.token_endpoint_auth_method));

export function createClientOperations(deps: ClientOperationsDeps & { tell: Tell }): ClientOperations {
  const { clients, clock, database, random, reservedClientIds, tell } = deps;
  return {
    async register(metadata, by) {
      const { client_id: clientId } = metadata;
      if (reservedClientIds.includes(clientId)) throw new AppError('CLIENT_ID_TAKEN');
      const secret = hasSecret(metadata) ? random.token(SECRET_BITS) : undefined;
      await database.transaction(async (unit) => {
        const all = { ...metadata, ...(secret ? { client_secret: secret } : {}) };
        if (!(await clients.register(all, unit))) throw new AppError('CLIENT_ID_TAKEN');
        await tell({ type: 'client_created', clientId, by }, unit);
      });
      return secret;
    },

    async rotateSecret({ metadata, version }, by) {
      const { client_id: clientId } = metadata;
      if (!hasSecret(metadata)) throw new AppError('CLIENT_WITHOUT_SECRET');
      const secret = random.token(SECRET_BITS);
      const until = inSeconds(clock.now(), OVERLAP_SECONDS);
      const client = await database.transaction(async (unit) => {
        const after = await clients.rotate(clientId, version, secret, until, unit);
        if (after) await tell({ type: 'client_secret_rotated', clientId, by }, unit);
        return after;
      });
      return client && { client, secret };
    },

    remove: ({ metadata: { client_id: clientId }, version }, by) =>
      database.transaction(async (unit) => {
        const isRemoved = await clients.unregister(clientId, version, unit);
        if (isRemoved) await tell({ type: 'client_removed', clientId, by }, unit);
        return isRemoved;
      }),
  };
}
