import type { Provider, TextMessage } from './provider.js';

/** Keeps a text where a developer, or a visitor of the demonstration, reads it. */
export type KeepText = (message: TextMessage) => Promise<void>;

/** Development transport: nothing leaves the machine, and what was kept has arrived. */
export const createOutboxProvider = (name: string, keep: KeepText): Provider => ({
  name,
  async send({ id, to, text }) {
    try {
      await keep({ id, to, text });
      return { status: 'accepted', isDelivered: true };
    } catch {
      return { status: 'refused', reason: 'provider_trouble', code: 'NOT_KEPT', isAboutNumber: false };
    }
  },
});
