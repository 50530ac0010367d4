/** Everything that carries a text message out: Twilio, a provider described in the configuration, the development transport. */
export { isLoopback, type ProviderSettings, providersSchema } from './config.js';
export { createProviders, examineProviders, type ProviderDeps, type Providers } from './create-providers.js';
export type { Sending } from './fail-over.js';
export type { KeepText } from './outbox.js';
export type { FailureReason, HandOver, Provider, Receipt, StatusCallback, TextMessage } from './provider.js';
