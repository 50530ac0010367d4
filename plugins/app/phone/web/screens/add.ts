import { type App, heading, type Screen, type View } from '../app.js';
import { button, element, emblem, icon, note } from '../elements.js';
import { startPairing } from './pairing.js';
import { scanView } from './scan.js';

/** Letters and digits that cannot be taken for one another. */
const TYPED_CODE = /^[ABCDEFGHJKMNPQRSTVWXYZ2-9]{8}$/;

/** The two ways to bring an account here. */
export const addButtons = (app: App): HTMLElement[] => [
  button('primary', app.words.say('add.scan'), () => app.show(scanToAdd)),
  element(
    'div',
    { class: 'ways' },
    button('text', app.words.say('add.type'), () => app.show(typeView)),
  ),
];

const scanToAdd: View = (app) =>
  scanView({
    what: 'pair',
    otherwise: 'scan.not_pairing',
    found: ({ code }) => startPairing(app, { code }, addView),
    typeInstead: () => app.show(typeView),
  })(app);

export const addView: View = (app) => ({
  nodes: [
    emblem('phone'),
    heading(app.words.say('add.heading')),
    element('p', { class: 'lead' }, app.words.say('welcome.how')),
    ...addButtons(app),
    element(
      'div',
      { class: 'ways' },
      button('text', app.words.say('button.cancel'), () => app.home()),
    ),
  ],
});

interface Field {
  node: HTMLElement;
  input: HTMLInputElement;
  complain(text: string): void;
}

function field(name: string, label: string, attributes: Record<string, string>, hint?: string): Field {
  const input = element('input', { id: name, name, 'aria-describedby': `${name}-hint ${name}-problem`, ...attributes });
  const problem = element('p', { id: `${name}-problem`, class: 'problem' });
  const node = element(
    'div',
    { class: 'field' },
    element('label', { for: name }, label),
    hint && element('p', { id: `${name}-hint`, class: 'hint' }, hint),
    problem,
    input,
  );
  return {
    node,
    input,
    complain(text) {
      problem.textContent = text;
      node.classList.toggle('wrong', text !== '');
      if (text) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
    },
  };
}

/** Login and eight characters: where the camera cannot be used. */
export function typeView(app: App): Screen {
  const { words, phone } = app;
  const plain = { autocapitalize: 'none', autocorrect: 'off', spellcheck: 'false', maxlength: '256' };
  const login = field('login', words.say('type.login'), { ...plain, autocomplete: 'username' });
  const code = field(
    'typed-code',
    words.say('type.code'),
    { ...plain, class: 'code long', autocapitalize: 'characters', autocomplete: 'off', maxlength: '24' },
    words.say('type.code_hint'),
  );
  const submit = (event: Event): void => {
    event.preventDefault();
    const typedLogin = login.input.value.trim();
    const typedCode = code.input.value.toUpperCase().replace(/[\s-]/g, '');
    login.complain(typedLogin ? '' : words.say('type.login_missing'));
    code.complain(TYPED_CODE.test(typedCode) ? '' : words.say('type.code_wrong'));
    const wrong = [login, code].find(({ input }) => input.hasAttribute('aria-invalid'));
    if (wrong) wrong.input.focus();
    else startPairing(app, { login: typedLogin, typedCode }, addView);
  };
  return {
    nodes: [
      heading(words.say('type.heading')),
      element('p', { class: 'lead' }, words.say('type.lead')),
      element(
        'form',
        { novalidate: true, submit },
        login.node,
        code.node,
        element(
          'p',
          { class: 'who' },
          icon('brand'),
          element('span', {}, words.say('type.server', { host: new URL(phone.issuer).host })),
        ),
        element('button', { class: 'primary' }, words.say('button.continue')),
      ),
      element(
        'div',
        { class: 'ways' },
        button('text', words.say('button.cancel'), () => app.home()),
      ),
    ],
  };
}

/** Somebody came here by the code of a set-up page, or by a link that looks like one. */
export const linkView =
  (code: string): View =>
  (app) => {
    const { words, phone } = app;
    return {
      nodes: [
        emblem('phone'),
        heading(words.say('link.heading')),
        element('p', { class: 'lead' }, words.say('link.lead', { host: new URL(phone.issuer).host })),
        note('warn', 'warning', words.say('link.warning')),
        button('primary', words.say('button.continue'), () => startPairing(app, { code }, addView)),
        element(
          'div',
          { class: 'ways' },
          button('text', words.say('button.cancel'), () => app.home()),
        ),
      ],
    };
  };
