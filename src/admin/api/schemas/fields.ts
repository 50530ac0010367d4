import { z } from 'zod';
import { ROLES } from '../../../accounts/contract.js';
import { LEVELS } from '../../../policy/levels.js';
import { SCOPES } from '../../rights.js';

/** RFC 3339 in UTC, milliseconds included. */
export const instant = z.iso.datetime().meta({ example: '2026-11-24T09:10:00.000Z' });
export const id = z.string().min(1).max(256);
export const role = z.enum(ROLES).meta({ id: 'Role' });
export const scope = z.enum(SCOPES).meta({ id: 'Scope' });
export const level = z.enum(LEVELS).meta({
  id: 'Level',
  description:
    'What was proved, weakest first: a password, a remembered browser, two factors, a phishing-resistant one.',
});

/** A date in a query. */
export const queryInstant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

export const shown = (at: Date): string => at.toISOString();
export const shownIf = <Name extends string>(name: Name, at: Date | undefined): { [key in Name]?: string } =>
  at === undefined ? {} : ({ [name]: at.toISOString() } as { [key in Name]?: string });
