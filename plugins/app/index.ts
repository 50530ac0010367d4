/** Method `app`: a phone that holds a key confirms the sign-in; see `docs/app-protocol.md`. */
export { app } from './app.js';
