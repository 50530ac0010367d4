import type { withApp as run } from './open-app.js';

/** Loads the services first: they cost seconds, and a command that is refused for its arguments, or asked for help, needs none. */
export const withApp: typeof run = async (...parameters) => (await import('./open-app.js')).withApp(...parameters);
