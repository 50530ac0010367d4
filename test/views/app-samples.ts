/** Every state of the pages of "Confirm in the app". */
export function appSamples(at: (minutes: number) => Date, qrSvg: string): Record<string, Record<string, unknown>> {
  const waiting = {
    action: '/interaction/abc/set-up/app',
    step: { n: 2, of: 3 },
    stage: 'waiting',
    pairingId: 'p1',
    pairHref: 'https://login.example.com/app/pair#k7Zq',
    appAddress: 'login.example.com/app',
    qrSvg,
    typedGroups: ['7KQM', '2XPA'],
    login: 'anna@example.com',
    expiresAt: at(9),
    backHref: '/interaction/abc/set-up',
  };
  const asked = {
    action: '/interaction/abc/with/app',
    sendAction: '/interaction/abc/with/app/send',
    eventsHref: '/interaction/abc/with/app/events',
    applicationName: 'Time Sheets',
    login: 'anna@example.com',
    cancelAction: '/interaction/abc/cancel',
    otherMethodsHref: '/interaction/abc/methods',
    devices: ['Pixel 9'],
    woken: ['Pixel 9'],
    isAgain: false,
    againAt: at(1 / 3),
    askedAt: 1,
    since: 1,
  };
  const enter = {
    ...asked,
    state: 'waiting',
    number: '482 915',
    confirmHref: 'https://login.example.com/app/confirm#482915',
    qrSvg,
    expiresAt: at(2),
  };
  const { qrSvg: _qrSvg, pairHref, typedGroups, ...shared } = waiting;
  const found = { ...shared, stage: 'found', model: 'Pixel 9', triesLeft: 3 };
  const tried = {
    applicationName: 'Time Sheets',
    trial: { label: 'Pixel 9', skipAction: '/interaction/abc/set-up/try/app/skip' },
    step: { n: 2, of: 3 },
    otherMethodsHref: undefined,
    cancelAction: undefined,
    login: undefined,
  };
  return {
    ...Object.fromEntries(
      ['approved', 'postponed', 'denied', 'over', 'expired'].map((state) => [
        `app/enter#trial-${state}`,
        { ...asked, ...tried, state },
      ]),
    ),
    'app/enter#trial': { ...enter, ...tried },
    'app/enter#trial-not-woken': { ...enter, ...tried, woken: [], error: 'refused', reason: 'quiet', retryAt: at(40) },
    'app/enter#trial-too_many': { ...asked, ...tried, state: 'too_many', retryAt: at(14) },
    'app/enter': enter,
    'app/enter#two-phones': { ...enter, devices: ['Pixel 9', 'Anna’s old phone'], woken: [] },
    'app/enter#not-woken': { ...enter, woken: [] },
    'app/enter#again': { ...enter, isAgain: true, againAt: at(0) },
    'app/enter#again-too-soon': { ...enter, error: 'refused', reason: 'wait', retryAt: at(1 / 3) },
    'app/enter#again-too-often': { ...enter, error: 'refused', reason: 'quiet', retryAt: at(40) },
    'app/enter#nobody-asked': { ...asked, state: 'throttled', retryAt: at(1), askedAt: undefined, since: undefined },
    'app/enter#pending': { ...enter, isPending: true },
    'app/enter#throttled': { ...enter, error: 'throttled', retryAt: at(1) },
    'app/enter#disabled': { ...enter, error: 'disabled' },
    ...Object.fromEntries(
      ['approved', 'postponed', 'denied', 'over', 'expired'].map((state) => [
        `app/enter#${state}`,
        { ...asked, state },
      ]),
    ),
    'app/enter#approved-throttled': { ...asked, state: 'approved', error: 'throttled', retryAt: at(1) },
    'app/enter#expired-rejected': { ...asked, state: 'expired', error: 'rejected', failures: 1 },
    'app/enter#too_many': { ...asked, state: 'too_many', retryAt: at(14), askedAt: undefined, since: undefined },
    'app/enter#refused': { ...asked, state: 'expired', error: 'refused', reason: 'too_many', retryAt: at(14) },
    'account/remove#phone': { action: '/a', label: 'Pixel 9', method: 'app', isLast: false, backHref: '/account' },
    'app/enrol': waiting,
    'app/enrol#account': { ...waiting, action: '/account/add/app', step: undefined, backHref: '/account' },
    'app/enrol#change': { ...waiting, step: undefined, inPlaceOf: 'Pixel 5', backHref: '/account' },
    'set-up/instead': {
      step: { n: 1, of: 3 },
      method: 'app',
      factors: [
        { label: 'Pixel 9', createdAt: at(-3000), lastUsedAt: at(-30), href: '/instead/1' },
        { label: 'Anna’s old phone', createdAt: at(-9000), href: '/instead/2' },
      ],
      besideHref: '/set-up/app',
      backHref: '/set-up',
      login: 'anna@example.com',
      applicationName: 'Time Sheets',
      cancelAction: '/cancel',
    },
    'set-up/instead#full': {
      step: { n: 1, of: 3 },
      method: 'app',
      factors: [{ label: 'Pixel 9', createdAt: at(-3000), href: '/instead/1' }],
      backHref: '/set-up',
      cancelAction: '/cancel',
    },
    'app/enrol#no-phone': { ...waiting, error: 'rejected' },
    'app/enrol#expired': { ...waiting, error: 'expired' },
    'app/enrol#throttled': { ...waiting, error: 'throttled', retryAt: at(1) },
    'app/enrol#found': found,
    'app/enrol#rejected': { ...found, error: 'rejected', triesLeft: 2 },
    'app/enrol#rejected-twice': { ...found, error: 'rejected', triesLeft: 1 },
  };
}

/** The section of the security page. */
export const trustedPhones = (at: (minutes: number) => Date, labels: readonly string[]) => ({
  id: 'app',
  kind: 'primary',
  addHref: '/account/add/app',
  factors: labels.map((label, n) => ({
    id: `phone-${n}`,
    label,
    facts: { push: n === 0 ? 'working' : 'failing', seenAt: at(-2).getTime() },
    createdAt: at(-30),
    lastUsedAt: at(-5),
    renameHref: `/account/factors/phone-${n}/rename`,
    changeHref: `/account/change/app/phone-${n}`,
    tryAction: `/account/try/app/phone-${n}/send`,
    removeHref: `/account/factors/phone-${n}/remove`,
  })),
});
