import type { PhoneAccount } from '../account-store.js';
import { type App, heading, type Screen, type View } from '../app.js';
import { button, element, grouped, note } from '../elements.js';
import { type Challenge, type ChallengeDetails, type Decision, Refusal } from '../protocol.js';
import { notMeView, outcomeView } from './outcome.js';
import { scanView } from './scan.js';

/** Everything that the signature covers, each with its name. */
function facts({ words, phone }: App, account: PhoneAccount, { details }: Challenge): HTMLDListElement {
  const { application, browser, place, ip, at } = JSON.parse(details) as ChallengeDetails;
  const unknown = words.say('challenge.unknown');
  const rows: [string, string][] = [
    [words.say('challenge.account'), account.login],
    [words.say('challenge.application'), application ?? unknown],
    [words.say('challenge.browser'), browser ?? unknown],
    ...(place ? [[words.say('challenge.place'), place] satisfies [string, string]] : []),
    [words.say('challenge.ip'), ip ?? unknown],
    [words.say('challenge.at'), words.moment(at, phone.serverNow())],
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  );
}

interface Before {
  /** What was typed or scanned already. */
  typed?: string;
  /** Why the last answer did not get through. */
  trouble?: string;
}

/** One sign-in: what is known about it, and the three answers. */
export const challengeView =
  (accountId: string, challenge: Challenge, before: Before = {}): View =>
  (app): Screen => {
    const { phone, words } = app;
    const account = phone.find(accountId);
    if (!account) return outcomeView('over')(app);
    app.opened.add(challenge.id);
    const isTrial = (JSON.parse(challenge.details) as ChallengeDetails).trial === true;
    const typed = before.typed ?? app.scannedNumber;
    app.scannedNumber = undefined;
    const again = (change: Before): View => challengeView(accountId, challenge, { typed: input.value, ...change });

    const input = element('input', {
      id: 'number',
      class: 'code',
      inputmode: 'numeric',
      autocomplete: 'off',
      maxlength: '20',
      'aria-describedby': 'number-problem',
      ...(typed ? { value: grouped(typed) } : {}),
    });
    const problem = element('p', { id: 'number-problem', class: 'problem', role: 'alert' });
    const field = element(
      'div',
      { class: 'field' },
      element('label', { for: 'number' }, words.say('challenge.number')),
      problem,
      input,
    );
    const trouble = element('div', { role: 'alert' });
    const say = (text: string): void => trouble.replaceChildren(note('warn', 'warning', text));
    if (before.trouble) say(before.trouble);
    const approve = element('button', { class: 'primary' }, words.say('challenge.approve'));
    const left = element('p', { class: 'left' });
    let isBusy = false;

    const complain = (text: string): void => {
      problem.textContent = text;
      field.classList.toggle('wrong', text !== '');
      if (text) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      if (text) input.select();
    };

    const refused = (
      { code, facts: { triesLeft = 0, retryAfterSeconds = 10 } }: Refusal,
      tell: (trouble: string) => void,
    ): void => {
      if (code === 'WRONG_NUMBER' && triesLeft > 0) complain(words.count('challenge.wrong', triesLeft));
      else if (code === 'WRONG_NUMBER') app.show(outcomeView('wrong_over'));
      else if (code === 'OFFLINE') tell(words.say('challenge.unheard'));
      else if (code === 'TOO_MANY') tell(words.say('challenge.later', { time: words.duration(retryAfterSeconds) }));
      else if (code === 'DEVICE_REFUSED') app.home();
      else app.show(outcomeView('over'));
    };

    /** @param tell says why it did not get through, where the person is then */
    const answer = async (decision: Decision, tell: (trouble: string) => void, number?: string): Promise<void> => {
      if (isBusy) return;
      isBusy = true;
      approve.setAttribute('aria-disabled', 'true');
      approve.textContent = words.say('button.busy');
      trouble.replaceChildren();
      complain('');
      try {
        app.show(outcomeView(await phone.answer(account, challenge, decision, number)));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refused(error, tell);
      } finally {
        isBusy = false;
        approve.removeAttribute('aria-disabled');
        approve.textContent = words.say('challenge.approve');
      }
    };

    const submit = (event: Event): void => {
      event.preventDefault();
      const number = input.value.replace(/[\s-]/g, '');
      if (/^\d+$/.test(number) && number.length === challenge.digits) answer('approve', say, number);
      else complain(words.say('challenge.number_wrong', { count: challenge.digits }));
    };

    const ask = (): void =>
      app.show(
        notMeView({
          stop: () => answer('not_me', (trouble) => app.show(again({ trouble }))),
          back: () => app.show(again({})),
        }),
      );
    const scan = (): void =>
      app.show(
        scanView({
          what: 'confirm',
          otherwise: 'scan.not_number',
          found: ({ number }) => app.show(again({ typed: number })),
          typeInstead: () => app.show(again({})),
        }),
      );

    const tick = (): void => {
      const seconds = (Date.parse(challenge.expiresAt) - phone.serverNow()) / 1000;
      left.textContent = words.say('challenge.left', { time: words.duration(Math.max(0, seconds)) });
      if (seconds <= 0 && !isBusy) app.show(outcomeView('over'));
    };
    tick();

    return {
      nodes: [
        heading(words.say(isTrial ? 'challenge.trial' : 'challenge.heading')),
        ...(isTrial ? [element('p', {}, words.say('challenge.trial_text'))] : []),
        facts(app, account, challenge),
        trouble,
        element(
          'form',
          { novalidate: true, submit },
          field,
          approve,
          element('div', { class: 'ways' }, button('text', words.say('challenge.scan'), scan, 'scan')),
        ),
        element(
          'div',
          { class: 'two' },
          button('small', words.say('challenge.not_now'), () => answer('not_now', say)),
          ...(isTrial ? [] : [button('small grave', words.say('challenge.not_me'), ask)]),
        ),
        left,
      ],
      tick,
      changed() {
        const known = phone.find(accountId);
        if (!known || known.isRefused) app.home();
        else if (!isBusy && !phone.waiting.get(accountId)?.some(({ id }) => id === challenge.id))
          app.show(outcomeView('over'));
      },
    };
  };
