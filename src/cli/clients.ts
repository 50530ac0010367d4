import { ConfigurationError, parseClient } from '../config/index.js';
import { systemRandom } from '../platform/random.js';
import { CONFIG, CommandRefused, command } from './command.js';
import { withApp } from './open-app.js';

/** 256 bits; base64url keeps to the characters that every client library sends unharmed. */
const SECRET_BITS = 256;

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

export const addClient = command({
  name: 'clients add',
  help: 'registers an application and prints what to paste into it',
  options: {
    config: CONFIG,
    id: { value: 'ID', required: true, help: 'its client_id' },
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
    const metadata = checked(values);
    await withApp(values.config, io, async (app, config) => {
      const isTaken = config.clients.some(({ client_id }) => client_id === values.id);
      const secret = values.public ? undefined : systemRandom.token(SECRET_BITS);
      const client = { ...metadata, ...(secret ? { client_secret: secret } : {}) };
      if (isTaken || !(await app.oidc.clients.insert(client))) throw new CommandRefused(['--id is taken']);
      await app.audit.record({ type: 'client_created', clientId: values.id, actor: { type: 'operator' } });
      io.out(`issuer         ${config.issuer}`);
      io.out(`discovery      ${config.issuer}/.well-known/openid-configuration`);
      io.out(`client_id      ${values.id}`);
      if (secret) io.out(`client_secret  ${secret}   (shown only now)`);
      io.out(`redirect_uri   ${values['redirect-uri'].join(' ')}`);
      io.out(`PKCE           ${client.require_pkce === false ? 'not required' : 'S256, required'}`);
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
function checked(values: ClientArguments): ReturnType<typeof parseClient> {
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

export const listClients = command({
  name: 'clients list',
  help: 'lists all applications: id, name, kind, where they are registered',
  options: { config: CONFIG },
  run: ({ config: file }, io) =>
    withApp(file, io, async (app, config) => {
      const registered = await app.oidc.clients.list();
      const rows = [
        ...config.clients.map((client) => ({ ...client, where: 'configuration' })),
        ...registered.map((client) => ({ ...client, where: 'database' })),
      ];
      for (const { client_id, client_name, token_endpoint_auth_method, where } of rows)
        io.out(
          [client_id, client_name, token_endpoint_auth_method === 'none' ? 'public' : 'confidential', where].join('\t'),
        );
    }),
});
