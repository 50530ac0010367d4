import { z } from 'zod';
import { providersSchema } from './providers/index.js';

/** A country by its ISO 3166-1 code. */
const country = z.string().regex(/^[A-Z]{2}$/, 'must be a country code of two capital letters, such as DE');
const count = z.int().min(1);
/** An amount of money in the currency of the budget; kept in millionths. */
const MILLIONTHS = 1_000_000;
const amount = z
  .number()
  .min(0)
  .max(1_000_000)
  .transform((value) => Math.round(value * MILLIONTHS));

const limits = z.strictObject({
  /** Messages to one number. */
  perNumber: z.strictObject({ perHour: count.default(5), perDay: count.default(10) }).prefault({}),
  /** Messages that one account asks for, to whatever numbers. */
  perAccount: z.strictObject({ perHour: count.default(6), perDay: count.default(12) }).prefault({}),
  /** Messages that are asked for from one IP address; an office may be behind one. */
  perAddress: z.strictObject({ perHour: count.default(60) }).prefault({}),
  /** The same from its network: /24 for IPv4, /48 for IPv6. */
  perNetwork: z.strictObject({ perHour: count.default(200) }).prefault({}),
  /** Messages into one country. */
  perCountry: z.strictObject({ perDay: count.default(500) }).prefault({}),
});

const budget = z.strictObject({
  messagesPerDay: count.default(500),
  /** ISO 4217. */
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a currency code of three capital letters, such as EUR')
    .default('USD'),
  amountPerDay: amount.optional(),
  /** What a message costs, where `prices` says nothing else. */
  price: amount.prefault(0.1),
  prices: z.record(country, amount).default({}),
});

const conversion = z.strictObject({
  /** A country is closed when fewer than this share of its latest messages was used. 0: never. */
  atLeast: z.number().min(0).max(1).default(0.2),
  /** How many of the latest messages are looked at. */
  outOf: z.int().min(10).max(500).default(50),
});

/** Options of `- id: sms` in the list of methods. */
export const options = z.strictObject({
  /** Preselected where a number is typed; numbers of it are accepted whatever else is. */
  homeCountry: country,
  /** Where numbers may be. Without it: the home country, and each country in which a number was enrolled. */
  countries: z.array(country).min(1).optional(),
  /** Whether numbers of the fixed network are accepted, which some carriers read texts out to. */
  landlines: z.boolean().default(false),
  /** Whether the set-up wizard asks for a number once the first method is there. */
  setUp: z.enum(['required', 'optional', 'never']).default('optional'),
  /** Whether it can be an account's first method. NIST SP 800-63B-4 section 3.1.3.3 restricts it: another one should stand beside it. */
  mayBeFirst: z.boolean().default(false),
  limits: limits.prefault({}),
  budget: budget.prefault({}),
  conversion: conversion.prefault({}),
  /** In the order in which they are asked. */
  providers: providersSchema,
});

export type SmsOptions = z.output<typeof options>;
