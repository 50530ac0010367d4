import { type App, heading, type Screen, type View } from '../app.js';
import { createDeviceKey, type DeviceKey } from '../device-key.js';
import { button, element, emblem, grouped } from '../elements.js';
import { pairingDigits } from '../pairing-digits.js';
import { describePhone } from '../platform.js';
import { type PairingCode, Refusal } from '../protocol.js';
import type { SentenceKey } from '../sentences/en.js';

/**
 * Makes a key and has the server take it.
 * @param restart where to begin anew
 * @param key of an attempt whose answer was lost: the same key may ask again
 */
export async function startPairing(app: App, code: PairingCode, restart: View, key?: DeviceKey): Promise<void> {
  app.show(startingView);
  const made = key ?? (await createDeviceKey());
  try {
    const account = await app.phone.pair(made, { ...code, ...(await describePhone()) });
    // Asked after the person has done something: browsers listen then.
    navigator.storage?.persist?.().catch(() => false);
    app.show(pairingView(account.id, restart));
  } catch (error) {
    const reason = error instanceof Refusal ? error.code : undefined;
    const again = (): void => {
      if (reason === 'OFFLINE' || reason === 'TOO_MANY') startPairing(app, code, restart, made);
      else app.show(restart);
    };
    app.show(troubleView(reason, again));
  }
}

const startingView: View = ({ words }) => ({
  nodes: [
    heading(words.say('pairing.starting')),
    element('p', { class: 'waiting' }, element('span', { class: 'ring' }), words.say('button.busy')),
  ],
});

const troubleView =
  (reason: string | undefined, again: () => void): View =>
  (app) => {
    const { words } = app;
    const text: SentenceKey =
      reason === 'OFFLINE' ? 'pairing.offline' : reason === 'REFUSED' ? 'pairing.refused_text' : 'pairing.trouble_text';
    return {
      nodes: [
        emblem('cross', 'bad'),
        heading(words.say(reason === 'REFUSED' ? 'pairing.refused' : 'pairing.trouble')),
        element('p', { class: 'lead' }, words.say(text)),
        button('primary', words.say('button.again'), again),
        element(
          'div',
          { class: 'ways' },
          button('text', words.say('button.cancel'), () => app.home()),
        ),
      ],
    };
  };

/** Six digits for the computer, until it has them. @param id of a pending account @param restart where to begin anew */
export const pairingView =
  (id: string, restart: View): View =>
  (app): Screen => {
    const { phone, words } = app;
    const account = phone.find(id);
    const over = overView(restart);
    if (!account) return over(app);
    if (account.state === 'active') return doneView(app, account.name || account.login);
    const digits = element('output', { class: 'number' });
    pairingDigits(account.id, account.key.thumbprint).then((text) => {
      digits.textContent = grouped(text);
    });
    const left = element('small', {});
    const tick = (): void => {
      const seconds = (Date.parse(account.expiresAt) - phone.serverNow()) / 1000;
      left.textContent = words.say('pairing.left', { time: words.duration(Math.max(0, seconds)) });
      if (seconds <= 0) app.show(over);
    };
    const changed = (): void => {
      const now = phone.find(id);
      if (!now) app.show(over);
      else if (now.state === 'active') app.show(pairingView(id, restart));
    };
    // Not while this screen is being made: it may be over already.
    queueMicrotask(tick);
    return {
      nodes: [
        heading(words.say('pairing.heading')),
        element('p', { class: 'lead' }, words.say('pairing.lead', { name: account.name || account.login })),
        digits,
        element(
          'div',
          { class: 'waiting' },
          element('span', { class: 'ring', 'aria-hidden': 'true' }),
          element('div', {}, words.say('pairing.waiting'), left),
        ),
        element(
          'div',
          { class: 'ways' },
          button('text', words.say('button.back'), () => app.home()),
        ),
      ],
      tick,
      changed,
    };
  };

const overView =
  (restart: View): View =>
  (app) => ({
    nodes: [
      emblem('clock', 'bad'),
      heading(app.words.say('pairing.over')),
      element('p', { class: 'lead' }, app.words.say('pairing.over_text')),
      button('primary', app.words.say('button.continue'), () => app.show(restart)),
      element(
        'div',
        { class: 'ways' },
        button('text', app.words.say('button.cancel'), () => app.home()),
      ),
    ],
  });

const doneView = (app: App, name: string): Screen => ({
  nodes: [
    emblem('check', 'good'),
    heading(app.words.say('pairing.done')),
    element('p', { class: 'lead' }, app.words.say('pairing.done_text', { name })),
    button('primary', app.words.say('button.done'), () => app.home()),
  ],
  // The trial, as a rule: home opens what waits alone.
  changed: () => {
    if ([...app.phone.waiting.values()].some((challenges) => challenges.length > 0)) app.home();
  },
});
