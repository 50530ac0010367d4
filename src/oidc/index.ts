/** The provider of our own server: settings, claims, keys, and what stands around it. */
export { authorizationByPost } from './authorization-by-post.js';
export { findAccountIn } from './claims.js';
export {
  createKeyRotation,
  type KeyRotation,
  loadSigningKeys,
  SEALED,
  type SigningKeys,
  withCurrentKeys,
} from './keys/index.js';
export { createProvider, type ProviderDeps } from './provider.js';
export { sessionActivity } from './session-activity.js';
export { sessionCookie } from './session-cookie.js';
export { sessionRevoked } from './session-revoked.js';
export { unitOfWork } from './unit-of-work.js';
