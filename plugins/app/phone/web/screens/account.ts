import type { PhoneAccount } from '../account-store.js';
import { type App, heading, type View } from '../app.js';
import { button, element, emblem, note } from '../elements.js';

/** What this phone knows about an account, and the way to part with it. */
export const accountView =
  (id: string): View =>
  (app) => {
    const { phone, words } = app;
    const account = phone.find(id);
    if (!account) return goneView(app, '');
    const facts: [string, string | undefined][] = [
      [words.say('account.login'), account.login],
      [words.say('account.company'), account.issuerName],
      [words.say('account.label'), account.label],
    ];
    return {
      nodes: [
        heading(words.say('account.heading')),
        element(
          'dl',
          { class: 'facts' },
          ...facts.flatMap(([name, value]) => (value ? [element('dt', {}, name), element('dd', {}, value)] : [])),
        ),
        element('p', { class: 'sub' }, words.say('account.rename')),
        button('primary', words.say('button.back'), () => app.home()),
        element(
          'div',
          { class: 'ways' },
          button('text grave', words.say('account.remove'), () => app.show(removeView(account))),
        ),
      ],
    };
  };

const removeView =
  (account: PhoneAccount): View =>
  (app) => {
    const { phone, words } = app;
    const problem = element('div', { role: 'alert' });
    const gone = (): void => app.show((here) => goneView(here, account.login));
    const remove = async (): Promise<void> => {
      confirm.setAttribute('aria-disabled', 'true');
      try {
        await phone.remove(account);
        gone();
      } catch {
        problem.replaceChildren(note('warn', 'offline', words.say('remove.offline')));
        confirm.replaceWith(
          button('primary danger', words.say('remove.anyway'), async () => {
            await phone.forget(account);
            gone();
          }),
        );
      }
    };
    const confirm = button('primary danger', words.say('remove.yes'), () => {
      if (!confirm.hasAttribute('aria-disabled')) remove();
    });
    return {
      nodes: [
        emblem('warning', 'bad'),
        heading(words.say('remove.heading', { login: account.login })),
        element('p', { class: 'lead' }, words.say('remove.text')),
        problem,
        confirm,
        element(
          'div',
          { class: 'ways' },
          button('text', words.say('button.cancel'), () => app.home()),
        ),
      ],
    };
  };

const goneView = (app: App, login: string) => ({
  nodes: [
    emblem('check', 'good'),
    heading(app.words.say('removed.heading')),
    element('p', { class: 'lead' }, app.words.say('removed.text', { login })),
    button('primary', app.words.say('button.done'), () => app.home()),
  ],
});
