import { z } from 'zod';
import type { CountryState, DeliveryControl, DeliveryCounts, DeliveryReport } from '../../../factors/index.js';
import { queryInteger } from '../lists.js';
import { ApiProblem, notFound } from '../problem.js';
import { type Route, route, type Subject } from '../route.js';
import { instant, shown, shownIf } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';

const DAYS = 30;
const MOST_DAYS = 90;

const count = z.int().min(0);
const amount = z.string().meta({ description: 'In `currency`, as a decimal number.', example: '2.96' });
const day = z.iso.date().meta({ description: 'In the time zone of the installation.' });
const counts = {
  sent: count,
  delivered: count,
  failed: count,
  used: count.meta({ description: 'Their code was typed.' }),
  amount,
};

const countryFields = {
  country: z.string().meta({ description: 'ISO 3166-1 alpha-2.', example: 'DE' }),
  callingCode: z.string().meta({ example: '+49' }),
  state: z.enum(['open', 'closed']),
  because: z.enum(['configured', 'not_configured', 'enrolled', 'administrator', 'conversion']),
  since: instant.optional().meta({ description: 'When an administrator decided, or too few codes came back.' }),
};
const countrySchema = z.strictObject(countryFields).meta({ id: 'SmsCountry' });

const reportSchema = z
  .strictObject({
    at: instant,
    currency: z.string().meta({ description: 'ISO 4217.', example: 'EUR' }),
    budget: z
      .strictObject({
        day,
        messages: count,
        messagesLimit: count,
        amount,
        amountLimit: amount.optional(),
        isExhausted: z.boolean().meta({ description: 'Nothing is sent any more until `endsAt`.' }),
        endsAt: instant,
      })
      .meta({ description: 'Of today.' }),
    days: z
      .array(z.strictObject({ day, ...counts }))
      .meta({ description: 'Latest first; days without a message are left out.' }),
    countries: z.array(
      z.strictObject({
        ...countryFields,
        ...counts,
        conversion: z
          .number()
          .min(0)
          .max(1)
          .optional()
          .meta({ description: 'Share of the latest codes that were typed; absent while there are too few.' }),
      }),
    ),
  })
  .meta({ id: 'SmsReport' });

const MILLION = 1_000_000;

/** Millionths as a decimal number: all of it, with at least two places. */
export function decimal(millionths: number): string {
  const places = String(millionths % MILLION).padStart(6, '0');
  return `${Math.floor(millionths / MILLION)}.${places.slice(0, 2)}${places.slice(2).replace(/0+$/, '')}`;
}

const showCounts = ({ sent, delivered, failed, used, amount: millionths }: DeliveryCounts) => ({
  sent,
  delivered,
  failed,
  used,
  amount: decimal(millionths),
});

const showCountry = ({
  country,
  callingCode,
  isOpen,
  because,
  since,
}: CountryState): z.output<typeof countrySchema> => ({
  country,
  callingCode,
  state: isOpen ? 'open' : 'closed',
  because,
  ...shownIf('since', since),
});

const showReport = ({ at, day: today, currency, budget, days, countries }: DeliveryReport) =>
  ({
    at: shown(at),
    currency,
    budget: {
      day: today,
      messages: budget.messages,
      messagesLimit: budget.messagesLimit,
      amount: decimal(budget.amount),
      ...(budget.amountLimit === undefined ? {} : { amountLimit: decimal(budget.amountLimit) }),
      isExhausted: budget.isExhausted,
      endsAt: shown(budget.endsAt),
    },
    days: days.map((one) => ({ day: one.day, ...showCounts(one) })),
    countries: countries.map((one) => ({
      ...showCountry(one),
      ...showCounts(one),
      ...(one.conversion === undefined ? {} : { conversion: one.conversion }),
    })),
  }) satisfies z.output<typeof reportSchema>;

const params = z.object({ country: z.string().regex(/^[A-Z]{2}$/) });

/** What text messages do and cost, and the countries they go to. */
export function smsRoutes({ engine, database, tell }: ApiServices): Route[] {
  const control = (): DeliveryControl => {
    const found = engine.delivery('sms');
    if (!found) throw new ApiProblem('SMS_NOT_OFFERED');
    return found;
  };
  const subject = async (call: { params: { country: string } }): Promise<Subject<CountryState> | undefined> => {
    const state = await control().country(call.params.country);
    return state && { value: state, representation: showCountry(state) };
  };
  const reading = { tag: 'SMS', method: 'GET', scope: 'reports:read', scripts: true } as const;
  const problems = ['SMS_NOT_OFFERED'];

  return [
    route({
      ...reading,
      id: 'getSmsReport',
      path: '/reports/sms',
      summary: 'What was sent, what came back, and what it cost',
      query: z.strictObject({
        days: queryInteger(1, MOST_DAYS)
          .optional()
          .meta({ description: `How many, today included; ${DAYS} unless told otherwise.` }),
      }),
      problems,
      responses: { 200: { description: 'Counted now.', schema: reportSchema } },
      handle: async ({ query: { days = DAYS } }) => ({ status: 200, body: showReport(await control().report(days)) }),
    }),
    route({
      ...reading,
      id: 'getSmsCountry',
      path: '/sms/countries/{country}',
      summary: 'Whether messages go to a country, and why',
      params,
      subject,
      problems,
      responses: { 200: { description: 'The country.', schema: countrySchema } },
      handle: async ({ subject: country }) => ({ status: 200, body: showCountry(country) }),
    }),
    route({
      tag: 'SMS',
      id: 'setSmsCountry',
      method: 'PUT',
      path: '/sms/countries/{country}',
      summary: 'Open a country, or close it',
      description: 'It holds until the next decision, whatever the configuration or the codes that come back say.',
      scope: 'sms:write',
      fresh: true,
      params,
      body: z.strictObject({ state: countryFields.state }).meta({ id: 'SmsCountryDecision' }),
      subject,
      problems,
      responses: { 200: { description: 'As it is now.', schema: countrySchema } },
      async handle({ params: { country }, body: { state }, actor }) {
        const isOpen = state === 'open';
        await database.transaction(async (unit) => {
          const outcome = await control().setCountry(country, isOpen, unit);
          if (outcome !== 'changed') return;
          const type = isOpen ? 'sms_country_opened' : 'sms_country_closed';
          await tell({ type, by: actor, facts: { country } }, unit);
        });
        const now = await control().country(country);
        if (!now) throw notFound();
        return { status: 200, body: showCountry(now) };
      },
    }),
  ];
}
