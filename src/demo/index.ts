/** The demonstration: a tour for a newcomer, a relying application with an API, a mailbox and an authenticator, all on one local address. */
export { createDemoAccounts, DEMO_STORIES, type DemoAccount, demoAccounts } from './accounts.js';
export { createDemoApp, type DemoDeps } from './demo-app.js';
