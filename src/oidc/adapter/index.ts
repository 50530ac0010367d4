/** What the provider keeps, on MongoDB: sessions, grants, codes, tokens, and the registered applications. */
export type { StoredClient } from './client-administration.js';
export type { ClientStore } from './clients.js';
export { ensureIndexes, SEALED } from './documents.js';
export { installReplayDetection, type Replay } from './replay.js';
export { SessionRevokedError } from './sessions.js';
export { createOidcStore, type OidcStore, type OidcStoreOptions } from './store.js';
export type { RunningUnit, Units } from './unit-of-work.js';
