/** What we know of each signed-in session beside the provider's own record: where it is used, what was proved in it, and how to end it. */
export { createBackchannelLogout, type LogoutDelivery } from './backchannel-logout.js';
export { keeperOf, type SessionKeeper } from './keeper.js';
export { createSessions, ensureIndexes, type SessionRecord, type Sessions } from './sessions.js';
