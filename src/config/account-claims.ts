import { z } from 'zod';
import { timeZone, webUrl } from './fields.js';

const text = z.string().min(1).max(256);

/**
 * Standard claims (OpenID Connect Core 5.1) that are not fields of an account already. `sub`, `name`,
 * `preferred_username`, `email` and `locale` come from those.
 */
export const accountClaims = z.strictObject({
  given_name: text.optional(),
  family_name: text.optional(),
  middle_name: text.optional(),
  nickname: text.optional(),
  profile: webUrl.optional(),
  picture: webUrl.optional(),
  website: webUrl.optional(),
  gender: text.optional(),
  birthdate: z
    .string()
    .regex(/^(\d{4}|\d{4}-\d{2}-\d{2})$/, 'must be a year or a day such as 1990-05-17')
    .optional(),
  zoneinfo: timeZone.optional(),
  /** Seconds since the epoch. */
  updated_at: z.int().min(0).optional(),
  /** E.164 is recommended. */
  phone_number: text.optional(),
  phone_number_verified: z.boolean().optional(),
  address: z
    .strictObject({
      formatted: text.optional(),
      street_address: text.optional(),
      locality: text.optional(),
      region: text.optional(),
      postal_code: text.optional(),
      country: text.optional(),
    })
    .optional(),
});
