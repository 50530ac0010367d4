/** Writes `configuration.md` from the schema: `npm run docs`. What a setting is for stands here, what it may be stands in the schema. */
import { z } from 'zod';
import { configSchema } from '../src/config/index.js';

/** What stands behind each setting; a test holds the names against the schema. */
const MEANINGS: Readonly<Record<string, string>> = {
  issuer:
    'The address that people and applications see. https unless it is localhost, no slash at the end; may have a path.',
  'listen.host': 'Where this process listens, in plain http: TLS ends at your proxy.',
  'listen.port': 'That of the issuer unless it is given.',
  'listen.drainSeconds': 'How long `/readyz` says no before the port closes.',
  trustedProxyHops: 'How many proxies stand in front. With 0 forwarded headers are not believed.',
  'database.name': 'The database at `MONGODB_URI`, or in the embedded server.',
  'database.embeddedPath': 'Where the embedded server keeps its data; relative to the working folder.',
  'database.allowEmbedded': 'Accept the embedded server for a public issuer, on your own responsibility.',
  'branding.name': 'What the pages are called.',
  'branding.companyName': 'Whose pages they are.',
  'branding.accent': 'Colour of buttons and links, such as `#0b6e4f`.',
  'branding.logo': 'A picture; relative to the configuration file.',
  'branding.links': 'At the foot of each page.',
  'branding.links[].label': 'The words of the link.',
  'branding.links[].href': 'https, mailto or tel.',
  locales: 'Languages of pages and mails.',
  defaultLocale: 'For whoever asks for none of them.',
  'mail.transport': '`smtp` sends; `outbox` keeps mails in the database, for demonstrations.',
  'mail.from': 'The sender.',
  'mail.smtp.host': 'Your mail server.',
  'mail.smtp.port': 'Its port.',
  'mail.smtp.secure': 'TLS from the first byte; without it STARTTLS where the server offers it.',
  'mail.smtp.user': 'Its password is `COUNTERSIGN_SMTP_PASSWORD`.',
  'sessions.idleSeconds': 'A session ends when nothing was done in it for so long.',
  'sessions.overallSeconds': 'A session ends after so long, whatever is done.',
  'sessions.refreshTokenSeconds': 'How long an application can renew its tokens after the sign-in.',
  'policy.minimumLevel': 'What every application may count on: `1fa`, `2fa-remembered`, `2fa`, `phr`.',
  'policy.groups': 'Stricter rules for members of a group.',
  'policy.groups[].group': 'The group.',
  'policy.groups[].minimumLevel': 'Its level.',
  'policy.groups[].setUp.required': 'Whether its members have to set a second step up.',
  'policy.groups[].setUp.deadline': 'Until when they can say "later".',
  'policy.setUp.required': 'Whether everybody has to set a second step up.',
  'policy.setUp.deadline': 'Until when there is a "later": a day, or an instant.',
  'policy.firstEnrolment':
    'What lets somebody set a first login method up. `password` is weak: whoever knows it first.',
  'policy.timeZone': 'The zone in which "later" ends with the day.',
  'policy.acrAliases': 'Other names under which applications may ask for a level.',
  'recoveryDesk.suspensionHours': 'Lengths of a suspension that administrators choose from, in hours.',
  'recoveryDesk.usualHours': 'When somebody is at the desk, as the page says it.',
  methods: 'Login methods on offer, in the order of the pages.',
  'methods[].id': '`app`, `totp`, `sms`, `recovery_code`. Options stand beside it: [app](app.md), [sms](sms.md).',
  clients: 'Relying applications; others can be registered while the server runs.',
  'clients[].client_id': 'Its id.',
  'clients[].client_name': 'Its name, as people see it.',
  'clients[].application_type': '`native` may have redirect URIs with a scheme of its own.',
  'clients[].redirect_uris': 'Where people come back to; compared as text.',
  'clients[].post_logout_redirect_uris': 'Where people may go after signing out.',
  'clients[].grant_types': '`authorization_code` unless it is given.',
  'clients[].response_types': 'Follows from the grants.',
  'clients[].subject_type': 'There is one kind.',
  'clients[].token_endpoint_auth_method': '`none` for what cannot keep a secret.',
  'clients[].client_secret_env':
    'The environment variable with its secret (or, with `_FILE` behind the name, the path of a file with it).',
  'clients[].scope': 'Limits the scopes it may ask for.',
  'clients[].backchannel_logout_uri': 'Where it hears that a session ended.',
  'clients[].backchannel_logout_session_required': 'It wants to hear which one.',
  'clients[].initiate_login_uri': 'Where a sign-in begins anew.',
  'clients[].client_uri': 'Its home page.',
  'clients[].logo_uri': 'Its picture.',
  'clients[].policy_uri': 'How it treats what it learns.',
  'clients[].tos_uri': 'Its terms.',
  'clients[].id_token_signed_response_alg': 'How ID Tokens for it are signed.',
  'clients[].jwks': 'Its public keys.',
  'clients[].jwks_uri': 'Where its public keys are.',
  'clients[].require_pushed_authorization_requests': 'RFC 9126.',
  'clients[].dpop_bound_access_tokens': 'RFC 9449.',
  'clients[].first_party': 'People are not asked for their consent.',
  'clients[].require_pkce': 'RFC 7636; may be waived for those that authenticate themselves.',
  'clients[].minimum_acr': 'The level below which nobody is let in.',
  'clients[].accept_remembered_browser': 'A remembered browser is enough, though the minimum is `2fa`.',
  'clients[].accept_suspended': 'People whose second step is suspended are let in.',
  'clients[].acr_values_required': 'Voluntary `acr_values` are treated as essential.',
  'clients[].claims_in_id_token': 'Profile and address in the ID Token.',
  'clients[].issue_refresh_token': 'Refresh tokens without `offline_access`.',
  'clients[].resources': 'Resources it may ask access tokens for (RFC 8707).',
  'clients[].api_scopes': 'What it may do at the management API by itself.',
  'clients[].cors_origins': 'Origins of browser applications that call the endpoints themselves.',
  resources: 'APIs that access tokens are made for.',
  'resources[].identifier': 'Its address (RFC 8707).',
  'resources[].scopes': 'What can be asked for.',
  'resources[].accessTokenFormat': '`opaque` tokens are looked up at the introspection endpoint.',
  'resources[].ttlSeconds': 'How long a token is good.',
  accounts: 'Made at the first start, if they are not there. See [import](import.md) for many.',
  'accounts[].login': 'What the employee types.',
  'accounts[].name': 'The name.',
  'accounts[].email': 'A checked address.',
  'accounts[].groups': 'Groups that policies may name.',
  'accounts[].roles': 'What this person may do as an administrator.',
  'accounts[].locale': 'Language of mails.',
  'accounts[].claims': 'Further claims of OpenID Connect Core 5.1.',
  'accounts[].password_env': 'The environment variable with the first password; without it the account is invited.',
  'accounts[].password': 'For the demonstration alone.',
  'api.requestsPerMinute': 'Requests that one caller of the management API may make.',
  'deviceFlow.enabled': 'RFC 8628, for televisions and the like.',
  privateOrigins: 'Origins on private networks that may be called: back-channel logout, `jwks_uri`, webhooks.',
  demo: 'The demonstration; its issuer must be on localhost.',
  'keys.rotateDays': 'Signing keys are replaced after so many days; 0: by hand alone. [Keys](keys.md)',
  'retention.auditDays': 'The audit is forgotten after so long.',
  'retention.addressDays': 'IP addresses in it are forgotten after so long.',
  'metrics.listen.host': 'Where Prometheus reads `/metrics`; without `metrics.listen` nowhere.',
  'metrics.listen.port': 'Its port.',
  'log.level': 'What is written to the log.',
};

/** Told as one: their parts are those of a standard. */
const WHOLE = new Set(['accounts[].claims', 'clients[].jwks', 'policy.acrAliases']);

interface Schema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
}

interface Setting {
  path: string;
  schema: Schema;
  isRequired: boolean;
}

function settings({ properties = {}, required = [] }: Schema, before = ''): Setting[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${before}${name}`;
    const own = { path, schema, isRequired: required.includes(name) && schema.default === undefined };
    if (WHOLE.has(path)) return [own];
    if (schema.properties) return settings(schema, `${path}.`);
    return schema.items?.properties ? [own, ...settings(schema.items, `${path}[].`)] : [own];
  });
}

/** Every setting by its name, and whether anything is said of it. */
export const undocumented = (): { missing: string[]; stale: string[] } => {
  const names = new Set(all().map(({ path }) => path));
  return {
    missing: [...names].filter((name) => !MEANINGS[name]),
    stale: Object.keys(MEANINGS).filter((name) => !names.has(name)),
  };
};

const all = (): Setting[] =>
  settings(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Schema);

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

function values({ type, enum: choices, const: only, minimum, maximum, items, anyOf }: Schema): string {
  if (choices) return choices.map(code).join(', ');
  if (only !== undefined) return code(only);
  if (anyOf) return [...new Set(anyOf.map(values))].join(' or ');
  if (type === 'array')
    return items?.properties ? 'a list of settings' : `a list${items ? ` of: ${values(items)}` : ''}`;
  if (type === 'object') return 'names and values';
  if (type !== 'integer' && type !== 'number') return type === 'boolean' ? 'true, false' : 'text';
  const highest = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER)
    return highest === undefined ? `a number, ${minimum} or more` : `a number, ${minimum} to ${highest}`;
  return 'a number';
}

const row = ({ path, schema, isRequired }: Setting): string => {
  const standard = schema.default === undefined ? (isRequired ? 'required' : '') : code(schema.default);
  return `| \`${path}\` | ${values(schema)} | ${standard} | ${MEANINGS[path] ?? ''} |`;
};

export function configurationPage(): string {
  return [
    '# Configuration',
    '',
    'Written by `npm run docs` from the schema that the file is held against; do not edit it here.',
    '',
    'One YAML file, given with `--config`. [`config/default.yaml`](../config/default.yaml) has every section with its defaults,',
    '[`config/production.example.yaml`](../config/production.example.yaml) is a starting point. A file of your own needs only `issuer` and what',
    'differs. Everything that is wrong with it is told at once, each with its place and line, and nothing starts.',
    '',
    'No secret stands in the file. They come from the environment, or, with `_FILE` behind a name, from the file that the variable names:',
    '`COUNTERSIGN_SEALING_KEYS`, `COUNTERSIGN_COOKIE_KEYS`, `COUNTERSIGN_INDEX_KEY`, `COUNTERSIGN_SMTP_PASSWORD`, and those that clients, accounts and',
    'methods refer to. `MONGODB_URI` says where the database is.',
    '',
    '| setting | value | default | what it is for |',
    '|---|---|---|---|',
    ...all().map(row),
    '',
  ].join('\n');
}
