import type { PhoneAccount } from '../account-store.js';
import { type App, heading, type Screen } from '../app.js';
import { button, element, emblem, grouped, icon, note } from '../elements.js';
import { codeAt, secondsLeft } from '../one-time-code.js';
import type { Challenge, ChallengeDetails } from '../protocol.js';
import { askForPush, pushWish, subscribe } from '../push.js';
import { accountView } from './account.js';
import { addButtons, addView } from './add.js';
import { challengeView } from './challenge.js';
import { pairingView } from './pairing.js';

interface Waiting {
  account: PhoneAccount;
  challenge: Challenge;
}

const waitingIn = ({ phone }: App): Waiting[] =>
  phone.accounts.flatMap((account) =>
    (phone.waiting.get(account.id) ?? [])
      .filter(({ expiresAt }) => Date.parse(expiresAt) > phone.serverNow())
      .map((challenge) => ({ account, challenge })),
  );

const detailsOf = ({ details }: Waiting['challenge']): ChallengeDetails => JSON.parse(details);

function row(app: App, { account, challenge }: Waiting, hasSeveral: boolean): HTMLLIElement {
  const { words, phone } = app;
  const { application, browser, at, trial } = detailsOf(challenge);
  const time = words.moment(at, phone.serverNow());
  const what = trial ? words.say('challenge.trial') : (application ?? words.say('challenge.sign_in'));
  const title = words.say('challenge.row', { application: what, time });
  return element(
    'li',
    { class: 'choice' },
    element(
      'button',
      { type: 'button', class: 'row', click: () => app.show(challengeView(account.id, challenge)) },
      icon('bell'),
      element(
        'span',
        {},
        title,
        element('small', {}, [hasSeveral && account.login, browser].filter(Boolean).join(' · ')),
      ),
      icon('next'),
    ),
  );
}

function activeCard(app: App, account: PhoneAccount): { node: HTMLElement; tick(): void } {
  const { words, phone } = app;
  const code = element('output', { class: 'code-now', 'aria-label': words.say('home.code', { login: account.login }) });
  const left = element('span', {});
  const dial = element('span', { class: 'dial', 'aria-hidden': 'true' });
  let step = -1;
  const tick = (): void => {
    const at = phone.serverNow();
    const { periodSeconds } = account.code;
    const seconds = secondsLeft(account.code, at);
    left.textContent = words.say('home.next_code', { time: words.duration(seconds) });
    dial.style.setProperty('--part', `${(seconds / periodSeconds) * 100}%`);
    const now = Math.floor(at / 1000 / periodSeconds);
    if (now === step) return;
    step = now;
    codeAt(account.code, at).then((digits) => {
      if (step === now) code.textContent = grouped(digits);
    });
  };
  tick();
  const node = element(
    'section',
    { class: 'card account' },
    title(app, account),
    element('p', { class: 'sub' }, words.say('home.code_label')),
    code,
    element('p', { class: 'left' }, dial, left),
  );
  return { node, tick };
}

const title = (app: App, { id, name, login, issuerName }: PhoneAccount): HTMLElement =>
  element(
    'header',
    {},
    element('div', {}, element('h2', {}, name || login), element('p', { class: 'sub' }, `${login} · ${issuerName}`)),
    element(
      'button',
      {
        type: 'button',
        class: 'icon-button',
        'aria-label': `${app.words.say('home.manage')}: ${login}`,
        click: () => app.show(accountView(id)),
      },
      icon('more'),
    ),
  );

function idleCard(app: App, account: PhoneAccount): HTMLElement {
  const { words } = app;
  if (account.isRefused)
    return element(
      'section',
      { class: 'card account' },
      title(app, account),
      note(
        'bad',
        'warning',
        element('b', {}, words.say('refused.heading')),
        element('p', {}, words.say('refused.text')),
      ),
      button('primary', words.say('refused.set_up'), () => app.show(addView)),
    );
  return element(
    'section',
    { class: 'card account' },
    title(app, account),
    element('p', { class: 'sub' }, words.say('home.pending')),
    button('small', words.say('home.show_digits'), () => app.show(pairingView(account.id, addView)), 'clock'),
  );
}

function welcome(app: App): HTMLElement[] {
  const { words } = app;
  return [
    emblem('phone'),
    heading(words.say('welcome.heading')),
    element('p', { class: 'lead' }, words.say('welcome.lead')),
    element('p', { class: 'sub' }, words.say('welcome.how')),
    ...addButtons(app),
  ];
}

/** The accounts with their codes, and above them what waits for an answer. */
export function homeView(app: App): Screen {
  const { phone, words } = app;
  const isEmpty = phone.accounts.length === 0;
  const nothing = note('', 'clock', words.say('home.none_waiting'));
  const waitingPart = element('section', { class: 'card waiting-list' });
  const wish = element('div', {});
  const cards = element('div', {});
  let ticks: (() => void)[] = [];
  let shownAccounts = '';
  let shownWaiting: string | undefined;

  const showAccounts = (): void => {
    const signature = JSON.stringify(phone.accounts.map(({ key, code, ...plain }) => plain));
    if (signature === shownAccounts) return;
    shownAccounts = signature;
    const active = phone.accounts.map((account) =>
      account.state === 'active' && !account.isRefused
        ? activeCard(app, account)
        : { node: idleCard(app, account), tick: () => undefined },
    );
    ticks = active.map(({ tick }) => tick);
    cards.replaceChildren(...active.map(({ node }) => node));
  };

  const showWish = (): void => {
    const isAskable = pushWish() === 'askable' && phone.unwoken.length > 0;
    if (isAskable === wish.childElementCount > 0) return;
    const ask = async (): Promise<void> => {
      if (await askForPush()) await phone.wakeBy(subscribe);
      showWish();
    };
    const offer = (): HTMLElement =>
      note('', 'bell', element('p', {}, words.say('home.push')), button('text', words.say('home.push_yes'), ask));
    wish.replaceChildren(...(isAskable ? [offer()] : []));
  };

  const showWaiting = (): void => {
    const all = waitingIn(app);
    // Somebody scanned a number with the camera of the phone.
    nothing.hidden = !(app.scannedNumber && phone.hasLooked && all.length === 0);
    const signature = all.map(({ challenge }) => challenge.id).join();
    if (signature === shownWaiting) return;
    const fresh = all.filter(({ challenge }) => !shownWaiting?.includes(challenge.id));
    shownWaiting = signature;
    waitingPart.hidden = all.length === 0;
    waitingPart.replaceChildren(
      element('h2', {}, words.say('home.waiting')),
      ...(all.length > 1 ? [element('p', { class: 'sub' }, words.say('home.several'))] : []),
      element('ul', { class: 'rows' }, ...all.map((one) => row(app, one, phone.accounts.length > 1))),
    );
    const isTrial = fresh.every(({ challenge }) => detailsOf(challenge).trial === true);
    if (fresh.length > 0) app.announce(words.say(isTrial ? 'home.heard_trial' : 'home.heard'));
    const [only] = all;
    if (!only || all.length > 1 || app.opened.has(only.challenge.id)) return;
    app.show(challengeView(only.account.id, only.challenge));
  };

  if (isEmpty) return { nodes: welcome(app), changed: () => phone.accounts.length > 0 && app.home() };
  showAccounts();
  showWish();
  // After the screen stands: it may give way to the one sign-in that waits.
  queueMicrotask(showWaiting);
  waitingPart.hidden = true;
  nothing.hidden = true;
  return {
    isHome: true,
    nodes: [
      heading(words.say('home.heading')),
      nothing,
      waitingPart,
      cards,
      wish,
      button('small add', words.say('home.add'), () => app.show(addView), 'add'),
    ],
    tick() {
      for (const tick of ticks) tick();
      showWaiting();
    },
    changed() {
      if (phone.accounts.length === 0) return app.home();
      showAccounts();
      showWish();
      showWaiting();
    },
  };
}
