import { z } from 'zod';
import { ROLES } from '../accounts/contract.js';
import { ACR } from '../policy/levels.js';
import { accountClaims } from './account-claims.js';
import { clientSchema } from './client-schema.js';
import {
  hexColour,
  instant,
  issuer,
  level,
  linkHref,
  locale,
  origin,
  port,
  resourceIdentifier,
  scopeToken,
  timeZone,
  variableName,
} from './fields.js';

const DAY_SECONDS = 86_400;
/** A refresh token's family ends 30 days after the sign-in at the latest. */
const REFRESH_AT_MOST_SECONDS = 30 * DAY_SECONDS;
/** JWT access tokens cannot be recalled: they must end soon by themselves. */
const ACCESS_TOKEN_AT_MOST_SECONDS = 300;

const seconds = z.int().min(1);
const setUp = z.strictObject({ required: z.boolean().default(false), deadline: instant.optional() });

const listen = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: port.optional(),
  /** How long `/readyz` says no before the port closes: until whoever sends us requests has noticed. */
  drainSeconds: z.int().min(0).max(60).default(0),
});

/** Apart from what people reach: absent, there are none. */
const metrics = z.strictObject({
  listen: z.strictObject({ host: z.string().min(1).default('127.0.0.1'), port: port.default(9464) }).optional(),
});

/** Days after which it is forgotten. */
const retention = z.strictObject({
  auditDays: z.int().min(1).max(3_650).default(400),
  addressDays: z.int().min(1).max(3_650).default(90),
});

const database = z.strictObject({
  name: z
    .string()
    .regex(/^[\w-]{1,60}$/, 'must be letters, digits, - and _')
    .default('countersign'),
  /** Relative to the working folder. */
  embeddedPath: z.string().min(1).default('./data/mongodb'),
  allowEmbedded: z.boolean().default(false),
});

const branding = z.strictObject({
  name: z.string().min(1).default('Countersign'),
  companyName: z.string().min(1).optional(),
  accent: hexColour.optional(),
  /** A picture; relative to the configuration file. */
  logo: z.string().min(1).optional(),
  links: z.array(z.strictObject({ label: z.string().min(1), href: linkHref })).default([]),
});

const mail = z.strictObject({
  transport: z.enum(['smtp', 'outbox']).default('outbox'),
  from: z.string().min(3).default('Countersign <no-reply@localhost>'),
  smtp: z
    .strictObject({
      host: z.string().min(1),
      port: port.default(587),
      /** TLS from the first byte; without it STARTTLS where the server offers it. */
      secure: z.boolean().default(false),
      user: z.string().min(1).optional(),
    })
    .optional(),
});

const sessions = z.strictObject({
  idleSeconds: seconds.default(3_600),
  overallSeconds: seconds.default(DAY_SECONDS),
  refreshTokenSeconds: seconds.max(REFRESH_AT_MOST_SECONDS).default(REFRESH_AT_MOST_SECONDS),
});

const policy = z.strictObject({
  minimumLevel: level.default('1fa'),
  groups: z
    .array(z.strictObject({ group: z.string().min(1), minimumLevel: level.optional(), setUp: setUp.optional() }))
    .default([]),
  setUp: setUp.prefault({}),
  firstEnrolment: z.enum(['invitation', 'access_pass', 'confirmed_email', 'password']).default('invitation'),
  timeZone: timeZone.default('UTC'),
  acrAliases: z
    .record(z.string().min(1), level)
    .default({ 'https://refeds.org/profile/mfa': '2fa' })
    .refine((aliases) => !Object.values(ACR).some((own) => own in aliases), {
      error: 'must not give another meaning to a value of our own',
    }),
});

const recoveryDesk = z.strictObject({
  /** Lengths of a suspension that administrators choose from, hours. */
  suspensionHours: z.array(z.int().min(1).max(168)).min(1).max(4).default([24, 48]),
  /** When somebody is at the desk, as the page says it. */
  usualHours: z.string().min(1).max(80).optional(),
});

/** The options of a method belong to its plugin, which checks them. */
const method = z.looseObject({ id: z.string().regex(/^[a-z][a-z0-9_]*$/, 'must be the id of a method, such as totp') });

const resource = z.strictObject({
  identifier: resourceIdentifier,
  scopes: z.array(scopeToken).default([]),
  accessTokenFormat: z.enum(['jwt', 'opaque']).default('jwt'),
  ttlSeconds: seconds.max(ACCESS_TOKEN_AT_MOST_SECONDS).default(ACCESS_TOKEN_AT_MOST_SECONDS),
});

const account = z.strictObject({
  login: z.string().min(1),
  name: z.string().min(1),
  email: z.email().optional(),
  groups: z.array(z.string().min(1)).default([]),
  /** What this person may do as an administrator. */
  roles: z.array(z.enum(ROLES)).default([]),
  locale: locale.optional(),
  /** Further claims that applications may ask for. */
  claims: accountClaims.optional(),
  /** The environment variable that holds the first password; without it the account is invited. */
  password_env: variableName.optional(),
  /** For the demonstration alone. */
  password: z.string().min(15).max(128).optional(),
});

/** The sections of the file, each with its defaults. Rules that join sections stand in `rules.ts`. */
export const sections = {
  issuer,
  listen: listen.prefault({}),
  trustedProxyHops: z.int().min(0).max(10).default(0),
  database: database.prefault({}),
  branding: branding.prefault({}),
  locales: z.array(locale).min(1).default(['en', 'de']),
  defaultLocale: locale.default('en'),
  mail: mail.prefault({}),
  sessions: sessions.prefault({}),
  policy: policy.prefault({}),
  recoveryDesk: recoveryDesk.prefault({}),
  methods: z
    .array(method)
    .min(1)
    .default([{ id: 'totp' }, { id: 'recovery_code' }]),
  clients: z.array(clientSchema).default([]),
  resources: z.array(resource).default([]),
  accounts: z.array(account).default([]),
  /** Requests that one caller of the management API may make. */
  api: z.strictObject({ requestsPerMinute: z.int().min(1).default(1_200) }).prefault({}),
  /** How old a signing key gets before the next one takes its place; 0: by hand alone. */
  keys: z.strictObject({ rotateDays: z.int().min(0).max(3_650).default(90) }).prefault({}),
  deviceFlow: z.strictObject({ enabled: z.boolean().default(false) }).prefault({}),
  privateOrigins: z.array(origin).default([]),
  demo: z.boolean().default(false),
  retention: retention.prefault({}),
  metrics: metrics.prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
};

export const configSchema = z.strictObject(sections);

type Parsed = z.output<typeof configSchema>;
export type Config = Omit<Parsed, 'listen'> & { listen: Parsed['listen'] & { /** 0: any free one. */ port: number } };
export type ClientSettings = Parsed['clients'][number];
export type AccountSettings = Parsed['accounts'][number];
export type ResourceSettings = Parsed['resources'][number];

/** What could be read although other parts of the file are wrong: list entries stay at their place. */
export type ReadableParts = {
  [Name in keyof Parsed]?: Parsed[Name] extends (infer Entry)[] ? (Entry | undefined)[] : Parsed[Name];
};
