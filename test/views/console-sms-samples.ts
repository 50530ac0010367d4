import { columns } from '../../src/admin/console/charts.js';
import { type At, DAY, form, frameOf, type Locals, named, problem } from './console-sample-parts.js';

const counts = { sent: 40, delivered: 38, failed: 2, used: 36, amount: '2.96' };

/** Locals of the console's pages about text messages. */
export function smsSamples(at: At): Record<string, Locals> {
  const country = (code: string, state: string, because: string, more: Locals = {}) => ({
    country: code,
    callingCode: { DE: '+49', FR: '+33', GB: '+44', LV: '+371' }[code] ?? '+1',
    state,
    because,
    ...counts,
    percent: 90,
    href: `/console/sms/countries/${code}/close`,
    ...more,
  });
  const stopped = [
    country('LV', 'closed', 'conversion', { since: at(-50), percent: 4, sent: 212, used: 9 }),
    country('GB', 'closed', 'administrator', { since: at(-3 * DAY), percent: undefined }),
  ];
  const days = Array.from({ length: 30 }, (_, n) => ({
    day: new Date(Date.UTC(2026, 9, 26 + n)).toISOString().slice(0, 10),
    total: 20 + 7 * (n % 5),
    byMethod: { used: 16 + 5 * (n % 5), unused: 4 + 2 * (n % 5) },
  }));
  const sms = {
    ...frameOf('sms'),
    currency: 'USD',
    budget: {
      messages: 37,
      messagesLimit: 500,
      messagesGauge: { width: 74, percent: 7 },
      amount: '2.738',
      amountLimit: '20.00',
      amountGauge: { width: 137, percent: 13 },
      isExhausted: false,
      endsAt: at(DAY),
    },
    stopped,
    chart: {
      days: 30,
      width: 30 * 40,
      height: 160,
      columns: columns(days, ['used', 'unused']),
      parts: ['used', 'unused'],
    },
    days: days.toReversed().map(({ day }) => ({ day, ...counts })),
    countries: [
      country('US', 'open', 'configured'),
      country('DE', 'open', 'enrolled'),
      country('FR', 'closed', 'not_configured', { percent: undefined }),
      ...stopped,
    ],
    decideAction: '/console/sms/decide',
    choices: ['US', 'DE', 'FR', 'GB', 'LV', 'AT', 'BQ'],
  };
  const page = {
    ...frameOf('sms'),
    ...form,
    country: 'LV',
    callingCode: '+371',
    etag: '"x"',
    backHref: '/console/sms',
  };
  return {
    'console/sms': sms,
    'console/sms#exhausted': {
      ...sms,
      budget: {
        ...sms.budget,
        messages: 500,
        messagesGauge: { width: 1000, percent: 100 },
        isExhausted: true,
      },
    },
    'console/sms#auditor': {
      ...sms,
      ...frameOf('sms', ['auditor']),
      stopped: stopped.map(({ href: _, ...one }) => one),
      countries: sms.countries.map(({ href: _, ...one }) => one),
      decideAction: undefined,
      choices: undefined,
    },
    'console/sms#empty': {
      ...sms,
      budget: { ...sms.budget, messages: 0, messagesGauge: { width: 0, percent: 0 }, amountGauge: undefined },
      stopped: [],
      days: [],
      countries: sms.countries.slice(0, 2).map((one) => ({
        ...one,
        sent: 0,
        delivered: 0,
        failed: 0,
        used: 0,
        amount: '0.00',
        percent: undefined,
      })),
    },
    ...named('console/sms', ['close', 'open'], (done) => ({ ...sms, done, decided: 'LV' })),
    'console/country#close': { ...page, decision: 'close', state: 'open', because: 'enrolled' },
    'console/country#open': {
      ...page,
      decision: 'open',
      state: 'closed',
      because: 'conversion',
      since: at(-50),
      isConfirmed: true,
    },
    'console/country#changed': {
      ...page,
      ...problem('API_PRECONDITION_FAILED', 412),
      decision: 'open',
      state: 'closed',
      because: 'not_configured',
    },
  };
}
