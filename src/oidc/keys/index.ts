/** The keys that tokens are signed with: made, published before they sign, rotated, and taken over by the running provider. */
export { withCurrentKeys } from './current-keys.js';
export { SEALED } from './documents.js';
export { signWith } from './into-provider.js';
export { createKeyRotation, type KeyRotation, type KeyState, NEXT_SECONDS, type RotationOutcome } from './rotation.js';
export { loadSigningKeys, type SigningKeys } from './signing-keys.js';
