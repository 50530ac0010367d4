import type { App } from '../app.js';
import type { Config, parseClient as read } from '../config/index.js';
import { AppError } from '../errors.js';
import { CONFIG, CommandRefused, command, JSON_OUTPUT, OPERATOR } from './command.js';
import { withApp } from './with-app.js';

const ID = { value: 'ID', required: true, help: 'its client_id' } as const;

const OPTION_OF: Record<string, string> = {
  client_id: '--id',
  client_name: '--name',
  redirect_uris: '--redirect-uri',
  post_logout_redirect_uris: '--post-logout-redirect-uri',
  backchannel_logout_uri: '--backchannel-logout-uri',
  minimum_acr: '--minimum-acr',
  token_endpoint_auth_method: '--auth-method',
  id_token_signed_response_alg: '--id-token-alg',
  cors_origins: '--cors-origin',
};

const addClient = command({
  name: 'clients add',
  help: 'registers an application and prints what to paste into it',
  options: {
    config: CONFIG,
    id: ID,
    name: { value: 'NAME', required: true, help: 'its name, as people see it' },
    'redirect-uri': { value: 'URI', required: true, multiple: true, help: 'where people come back to' },
    'post-logout-redirect-uri': { value: 'URI', multiple: true, help: 'where people may go after signing out' },
    'backchannel-logout-uri': { value: 'URI', help: 'where it hears that a session ended' },
    public: { help: 'cannot keep a secret: an application in a browser or on a device' },
    'first-party': { help: 'people are not asked for their consent' },
    'minimum-acr': { value: 'LEVEL', help: 'the level below which nobody gets in: 1fa, 2fa-remembered, 2fa, phr' },
    'auth-method': {
      value: 'METHOD',
      help: 'at the token endpoint: client_secret_basic (default), client_secret_post',
    },
    'id-token-alg': { value: 'ALG', help: 'of ID Tokens: RS256 (default), ES256' },
    'cors-origin': { value: 'ORIGIN', multiple: true, help: 'of a page that calls the endpoints itself' },
    'claims-in-id-token': { help: 'name and e-mail address in the ID Token, for libraries that never ask userinfo' },
    'refresh-token': { help: 'gets refresh tokens without asking for offline_access' },
    'without-pkce': { help: 'for libraries that cannot do it; the application has to authenticate itself' },
  },
  async run(values, io) {
    const metadata = await checked(values);
    await withApp(values.config, io, async (app, config) => {
      const secret = await app.operations.clients.register(metadata, OPERATOR).catch((error: unknown) => {
        throw error instanceof AppError && error.code === 'CLIENT_ID_TAKEN'
          ? new CommandRefused(['--id is taken'])
          : error;
      });
      io.out(`issuer         ${config.issuer}`);
      io.out(`discovery      ${config.issuer}/.well-known/openid-configuration`);
      io.out(`client_id      ${values.id}`);
      if (secret) io.out(`client_secret  ${secret}   (shown only now)`);
      io.out(`redirect_uri   ${values['redirect-uri'].join(' ')}`);
      io.out(`PKCE           ${metadata.require_pkce === false ? 'not required' : 'S256, required'}`);
    });
  },
});

interface ClientArguments {
  id: string;
  name: string;
  'redirect-uri': string[];
  'post-logout-redirect-uri': string[];
  'backchannel-logout-uri'?: string | undefined;
  'minimum-acr'?: string | undefined;
  'auth-method'?: string | undefined;
  'id-token-alg'?: string | undefined;
  'cors-origin': string[];
  public: boolean;
  'first-party': boolean;
  'claims-in-id-token': boolean;
  'refresh-token': boolean;
  'without-pkce': boolean;
}

/** The same rules as for clients of the configuration file, told in the words of the options. */
async function checked(values: ClientArguments): Promise<ReturnType<typeof read>> {
  const { ConfigurationError, parseClient } = await import('../config/index.js');
  const { 'backchannel-logout-uri': backchannel, 'minimum-acr': minimum, 'id-token-alg': algorithm } = values;
  const method = values.public ? 'none' : values['auth-method'];
  const forConfidential = (['auth-method', 'without-pkce'] as const).filter((option) => values[option]);
  if (values.public && forConfidential.length > 0)
    throw new CommandRefused(forConfidential.map((option) => `--${option} is not for --public applications`));
  try {
    return parseClient({
      client_id: values.id,
      client_name: values.name,
      redirect_uris: values['redirect-uri'],
      post_logout_redirect_uris: values['post-logout-redirect-uri'],
      ...(backchannel ? { backchannel_logout_uri: backchannel } : {}),
      ...(minimum ? { minimum_acr: minimum } : {}),
      ...(method ? { token_endpoint_auth_method: method } : {}),
      ...(algorithm ? { id_token_signed_response_alg: algorithm } : {}),
      cors_origins: values['cors-origin'],
      claims_in_id_token: values['claims-in-id-token'],
      issue_refresh_token: values['refresh-token'],
      require_pkce: !values['without-pkce'],
      first_party: values['first-party'],
    });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new CommandRefused(
      error.problems.map(({ path, message }) => {
        const [, name = path, index] = /^(\w+)(?:\[(\d+)\])?$/.exec(path) ?? [];
        return `${OPTION_OF[name] ?? name}${index ? ` (number ${Number(index) + 1})` : ''} ${message}`;
      }),
    );
  }
}

interface Listed extends Record<string, unknown> {
  client_id: string;
  client_name?: unknown;
  token_endpoint_auth_method?: unknown;
  where: 'configuration' | 'database';
}

const all = async (app: App, config: Config): Promise<Listed[]> => [
  ...config.clients.map((client) => ({ ...client, where: 'configuration' as const })),
  ...(await app.oidc.clients.list()).map((client) => ({ ...client, where: 'database' as const })),
];

const listClients = command({
  name: 'clients list',
  help: 'lists all applications: id, name, kind, where they are registered',
  options: { config: CONFIG, json: { help: 'one JSON object in each line' } },
  run: ({ config: file, json }, io) =>
    withApp(file, io, async (app, config) => {
      for (const client of await all(app, config)) {
        const { client_id: id, client_name: name, token_endpoint_auth_method: method, where } = client;
        const columns = [id, name, method === 'none' ? 'public' : 'confidential', where];
        io.out(json ? JSON.stringify(client) : columns.join('\t'));
      }
    }),
});

const showClient = command({
  name: 'clients show',
  help: 'shows one application, without its secret',
  options: { config: CONFIG, id: ID, json: JSON_OUTPUT },
  run: ({ config: file, id, json }, io) =>
    withApp(file, io, async (app, config) => {
      const client = (await all(app, config)).find((one) => one.client_id === id);
      if (!client) throw new CommandRefused(['--id is no application here']);
      if (json) return io.out(JSON.stringify(client, undefined, 2));
      for (const [name, value] of Object.entries(client)) {
        const shown = Array.isArray(value)
          ? value.join(' ')
          : typeof value === 'object'
            ? JSON.stringify(value)
            : value;
        if (shown !== undefined && shown !== '') io.out(`${name.padEnd(40)}${shown}`);
      }
    }),
});

/** One that can be changed here. @throws CommandRefused */
async function registered({ oidc }: App, { clients }: Config, id: string) {
  if (clients.some((client) => client.client_id === id))
    throw new CommandRefused(['--id is an application of the configuration file: change it there']);
  const client = await oidc.clients.stored(id);
  if (!client) throw new CommandRefused(['--id is no application here']);
  return client;
}

const CHANGED_MEANWHILE = ['somebody else has changed it in this moment: look at it again'];

const removeClient = command({
  name: 'clients remove',
  help: 'removes an application: nobody signs in to it any more',
  options: { config: CONFIG, id: ID },
  run: ({ config: file, id }, io) =>
    withApp(file, io, async (app, config) => {
      const isRemoved = await app.operations.clients.remove(await registered(app, config, id), OPERATOR);
      if (!isRemoved) throw new CommandRefused(CHANGED_MEANWHILE);
      io.out(`${id} is removed.`);
    }),
});

const rotateSecret = command({
  name: 'clients rotate-secret',
  help: 'makes a new secret; the one before works for another 24 hours',
  options: { config: CONFIG, id: ID },
  run: ({ config: file, id }, io) =>
    withApp(file, io, async (app, config) => {
      const rotated = await app.operations.clients.rotateSecret(await registered(app, config, id), OPERATOR);
      if (!rotated) throw new CommandRefused(CHANGED_MEANWHILE);
      io.err(`The secret before works until ${rotated.client.previousSecretUntil?.toISOString()}. Shown only now:`);
      io.out(rotated.secret);
    }),
});

export const clientCommands = [addClient, listClients, showClient, removeClient, rotateSecret];
