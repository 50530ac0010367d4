import { heading, type View } from '../app.js';
import { button, element, emblem, type IconName } from '../elements.js';
import type { AnswerOutcome } from '../protocol.js';

const LOOKS: Record<AnswerOutcome | 'over' | 'wrong_over', [IconName, 'good' | 'bad' | '']> = {
  approved: ['check', 'good'],
  postponed: ['clock', ''],
  denied: ['cross', 'bad'],
  over: ['clock', ''],
  wrong_over: ['cross', 'bad'],
};

/** What became of a sign-in, in one sentence. */
export const outcomeView =
  (outcome: keyof typeof LOOKS): View =>
  (app) => ({
    nodes: [
      emblem(...LOOKS[outcome]),
      heading(app.words.say(`outcome.${outcome}`)),
      element('p', { class: 'lead' }, app.words.say(`outcome.${outcome}_text`)),
      button('primary', app.words.say('button.done'), () => app.home()),
    ],
  });

/** Asks once more before administrators are told. */
export const notMeView =
  ({ stop, back }: { stop(): void; back(): void }): View =>
  ({ words }) => ({
    nodes: [
      emblem('warning', 'bad'),
      heading(words.say('not_me.heading')),
      element('p', { class: 'lead' }, words.say('not_me.text')),
      button('primary danger', words.say('not_me.yes'), stop),
      element('div', { class: 'ways' }, button('text', words.say('not_me.no'), back)),
    ],
  });
