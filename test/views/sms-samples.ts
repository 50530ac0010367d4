/** Every state of the pages of the SMS method. */
export function smsSamples(at: (minutes: number) => Date): Record<string, Record<string, unknown>> {
  const enter = {
    action: '/interaction/abc/with/sms',
    sendAction: '/interaction/abc/with/sms/send',
    applicationName: 'Time Sheets',
    login: 'anna@example.com',
    cancelAction: '/interaction/abc/cancel',
    otherMethodsHref: '/interaction/abc/methods',
    masked: '···· 42',
  };
  const message = (state: string, reason?: string) => ({
    message: { state, sentAt: at(-1), ...(reason ? { reason } : {}) },
    isCodeRunning: state !== 'failed',
    codeExpiresAt: at(4),
  });
  const sent = { ...enter, ...message('sent') };
  const refused = { error: 'refused', retryAt: undefined };
  const enrol = {
    action: '/interaction/abc/set-up/sms',
    step: { n: 3, of: 4 },
    stage: 'number',
    countries: [
      { code: 'AT', name: 'Austria', callingCode: '+43' },
      { code: 'DE', name: 'Germany', callingCode: '+49' },
      { code: 'GB', name: 'United Kingdom', callingCode: '+44' },
    ],
    country: 'DE',
    skip: { action: '/interaction/abc/set-up/skip', method: 'sms' },
  };
  const values = { country: 'AT', number: '0900 123456' };
  const code = { ...enrol, stage: 'code', masked: '···· 42', ...message('sent'), backHref: '/account' };
  return {
    'sms/enter': enter,
    'sms/enter#plain': { ...enter, applicationName: undefined },
    ...Object.fromEntries(
      ['sending', 'slow', 'sent', 'delivered'].map((state) => [
        `sms/enter#${state}`,
        { ...enter, ...message(state), againAt: at(0.5) },
      ]),
    ),
    ...Object.fromEntries(
      ['number_unusable', 'unsubscribed', 'unreachable', 'blocked', 'provider_trouble'].map((reason) => [
        `sms/enter#failed-${reason}`,
        { ...enter, ...message('failed', reason) },
      ]),
    ),
    'sms/enter#rejected': { ...sent, error: 'rejected', failures: 2 },
    'sms/enter#throttled': { ...sent, error: 'throttled', retryAt: at(2) },
    'sms/enter#disabled': { ...sent, error: 'disabled' },
    'sms/enter#refused-wait': { ...sent, ...refused, reason: 'wait', retryAt: at(0.5), againAt: at(0.5) },
    'sms/enter#refused-limit': { ...enter, ...refused, reason: 'limit', retryAt: at(50) },
    'sms/enter#refused-limit-running': { ...sent, ...refused, reason: 'limit', retryAt: at(50) },
    'sms/enter#refused-not_served': { ...enter, ...refused, reason: 'not_served' },
    'sms/enter#refused-out_of_service': { ...enter, ...refused, reason: 'out_of_service' },
    'sms/enrol': enrol,
    'sms/enrol#one-country': {
      ...enrol,
      countries: enrol.countries.slice(1, 2),
      skip: undefined,
      backHref: '/account',
    },
    'sms/enrol#change': { ...enrol, step: undefined, skip: undefined, current: '···· 42', backHref: '/account' },
    ...Object.fromEntries(
      ['invalid', 'country', 'not_mobile', 'premium', 'taken'].map((reason) => [
        `sms/enrol#${reason}`,
        { ...enrol, ...refused, reason, values },
      ]),
    ),
    ...Object.fromEntries(
      ['wait', 'limit', 'not_served', 'out_of_service'].map((reason) => [
        `sms/enrol#refused-${reason}`,
        { ...enrol, ...refused, reason, retryAt: ['wait', 'limit'].includes(reason) ? at(1) : undefined },
      ]),
    ),
    'sms/enrol#rejected': { ...enrol, error: 'rejected' },
    'sms/enrol#expired': { ...enrol, error: 'expired' },
    'sms/enrol#throttled': { ...enrol, error: 'throttled', retryAt: at(1) },
    'sms/enrol#code': { ...code, againAt: at(0.5) },
    'sms/enrol#code-slow': { ...code, ...message('slow') },
    'sms/enrol#code-failed': { ...code, ...message('failed', 'unreachable') },
    'sms/enrol#code-rejected': { ...code, error: 'rejected' },
    'sms/enrol#code-wait': { ...code, ...refused, reason: 'wait', retryAt: at(0.5), againAt: at(0.5) },
  };
}

/** The row of the security page; `usableFrom` of a number that was changed lately. */
export function phoneNumber(createdAt: Date, usableFrom?: Date) {
  return {
    id: 'sms',
    kind: 'fallback',
    replaces: true,
    addHref: '/account/add/sms',
    factors: [
      {
        id: 'f3',
        label: '···· 42',
        facts: { masked: '···· 42' },
        createdAt,
        removeHref: '/account/f3/remove',
        ...(usableFrom ? { usableFrom } : {}),
      },
    ],
  };
}
