import { heading, type View } from '../app.js';
import { element, emblem, icon, note } from '../elements.js';

/** On iOS, in a tab: what to do first. @param cameByCode whether a set-up code led here */
export const installView =
  (cameByCode: boolean): View =>
  ({ words, brand: { name } }) => ({
    nodes: [
      emblem('phone'),
      heading(words.say('install.heading')),
      element('p', { class: 'lead' }, words.say('install.lead')),
      element(
        'ol',
        { class: 'stages' },
        element('li', { class: 'stage' }, words.say('install.share'), icon('share')),
        element('li', { class: 'stage' }, words.say('install.add')),
        element('li', { class: 'stage' }, words.say('install.open', { name })),
      ),
      cameByCode && note('', 'clock', words.say('install.code')),
    ],
  });

export const unfitView: View = ({ words }) => ({
  nodes: [
    emblem('warning', 'bad'),
    heading(words.say('unfit.heading')),
    element('p', { class: 'lead' }, words.say('unfit.text')),
  ],
});
