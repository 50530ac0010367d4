import { z } from 'zod';
import type { DirectoryEntry, Standings } from '../../../accounts/index.js';
import { id, instant, level, role, shown } from './fields.js';

/** An account as administrators see it. Never a password, a secret, or a number of a phone. */
export const accountSchema = z
  .strictObject({
    id,
    login: z.string(),
    name: z.string(),
    email: z.string().optional().meta({ description: 'A verified address.' }),
    groups: z.array(z.string()),
    active: z.boolean(),
    locale: z.string().optional(),
    roles: z.array(role),
    covered: z.boolean().meta({ description: 'A second factor is set up that is enough by itself.' }),
    level: level.meta({ description: 'The highest level that the account can reach.' }),
    methods: z.array(z.string()).meta({ description: 'Methods that are set up.' }),
    suspension: z
      .strictObject({ id, until: instant })
      .optional()
      .meta({ description: 'The second factor is lifted until then.' }),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'Account' });

export type ShownAccount = z.output<typeof accountSchema>;

export const showAccount =
  ({ runningSuspension }: Pick<Standings, 'runningSuspension'>) =>
  ({ account, createdAt, updatedAt, coverage }: DirectoryEntry): ShownAccount => {
    const suspension = runningSuspension(account.standing ?? {});
    return {
      id: account.id,
      login: account.login,
      name: account.name,
      ...(account.email === undefined ? {} : { email: account.email }),
      groups: account.groups,
      active: account.active,
      ...(account.locale === undefined ? {} : { locale: account.locale }),
      roles: [...(account.roles ?? [])],
      covered: coverage.covered,
      level: coverage.level,
      methods: [...coverage.methods],
      ...(suspension ? { suspension: { id: suspension.id, until: shown(suspension.until) } } : {}),
      createdAt: shown(createdAt),
      updatedAt: shown(updatedAt),
    };
  };

const login = z.string().min(1).max(254);
const name = z.string().min(1).max(256);
const email = z.string().min(3).max(254);
const groups = z.array(z.string().min(1).max(128)).max(100);
const locale = z
  .string()
  .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'must be a language tag such as de')
  .max(35);

export const newAccount = z
  .strictObject({
    login,
    name,
    email: email.optional().meta({ description: 'Checked by whoever calls: it counts as verified.' }),
    groups: groups.optional(),
    locale: locale.optional(),
    invite: z.boolean().optional().meta({ description: 'Mail the invitation at once; needs `email`.' }),
  })
  .meta({ id: 'NewAccount' });

/** RFC 7396: absent stays as it is, null takes away. */
export const accountChanges = z
  .strictObject({
    login: login.optional(),
    name: name.optional(),
    email: email.nullable().optional(),
    groups: groups.optional(),
    locale: locale.nullable().optional(),
  })
  .meta({ id: 'AccountChanges' });
