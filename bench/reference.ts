/**
 * What the same sign-in costs at the least: the bare library, a straightforward adapter, one password hash, one TOTP check and
 * two plain pages. No audit, no limits on attempts, no CSRF protection, no templates, no headers, no log. Not a server to use.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import Router, { type RouterContext } from '@koa/router';
import { mongo } from 'mongoose';
import Provider, {
  type AdapterPayload,
  type InteractionResults,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { verify } from 'otplib';
import { slowVerify } from '../src/platform/slow-hash.js';
import { attend } from './attend.js';
import { CLIENT_ID, REDIRECT_URI, SIGNING_ALGORITHM, serverEnvironment } from './settings.js';

const { BENCH_FOLDER, BENCH_DATABASE, BENCH_MONGODB_URI, port } = serverEnvironment();

interface StoredAccount {
  _id: string;
  passwordHash: string;
  /** Base32. */
  totpSecret: string;
  lastStep: number;
}
interface StoredModel {
  _id: string;
  payload: AdapterPayload;
  expiresAt?: Date;
}

const client = await new mongo.MongoClient(BENCH_MONGODB_URI, {
  ignoreUndefined: true,
  writeConcern: { w: 'majority' },
}).connect();
const database = client.db(BENCH_DATABASE);
const accounts = database.collection<StoredAccount>('accounts');

class Adapter {
  readonly #models: mongo.Collection<StoredModel>;

  constructor(name: string) {
    this.#models = database.collection<StoredModel>(name);
  }

  async upsert(_id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const expiresAt = expiresIn === undefined ? undefined : new Date(Date.now() + expiresIn * 1000);
    await this.#models.updateOne({ _id }, { $set: { payload, expiresAt } } as never, { upsert: true });
  }

  find(_id: string): Promise<AdapterPayload | undefined> {
    return this.#findOne({ _id });
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findOne({ 'payload.uid': uid });
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findOne({ 'payload.userCode': userCode });
  }

  async consume(_id: string): Promise<void> {
    const unused = { _id, 'payload.consumed': { $exists: false } };
    await this.#models.updateOne(unused, { $set: { 'payload.consumed': Math.floor(Date.now() / 1000) } });
  }

  async destroy(_id: string): Promise<void> {
    await this.#models.deleteOne({ _id });
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    await this.#models.deleteMany({ 'payload.grantId': grantId });
  }

  async #findOne(filter: mongo.Filter<StoredModel>): Promise<AdapterPayload | undefined> {
    const found = await this.#models.findOne(filter);
    return found && (!found.expiresAt || found.expiresAt > new Date()) ? found.payload : undefined;
  }
}
await database.collection('Session').createIndex({ 'payload.uid': 1 });
for (const name of ['AccessToken', 'AuthorizationCode', 'RefreshToken']) {
  await database.collection(name).createIndex({ 'payload.grantId': 1 });
}

interface Result extends InteractionResults {
  first_factor?: { accountId: string; ts: number };
}
const resultOf = (ctx: KoaContextWithOIDC): Result | undefined => (ctx.oidc as unknown as { result?: Result }).result;
const isHalfWay = (ctx: KoaContextWithOIDC): boolean =>
  resultOf(ctx)?.first_factor !== undefined && resultOf(ctx)?.login === undefined;

const { Check, Prompt } = interactionPolicy;
const policy = interactionPolicy.base();
for (const check of policy.get('login')?.checks ?? []) {
  const original = check.check;
  check.check = (ctx) => (isHalfWay(ctx) ? Check.NO_NEED_TO_PROMPT : original(ctx));
}
policy.get('consent')?.checks.remove('native_client_prompt');
policy.add(
  new Prompt(
    { name: 'second_factor', requestable: true },
    new Check('first_factor_only', 'the second factor is missing', 'login_required', isHalfWay),
  ),
  1,
);

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: Adapter as never,
  clients: [
    {
      client_id: CLIENT_ID,
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: SIGNING_ALGORITHM,
    },
  ],
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time'] },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: SIGNING_ALGORITHM } as never] },
  enabledJWA: { idTokenSigningAlgValues: [SIGNING_ALGORITHM] },
  clientDefaults: { id_token_signed_response_alg: SIGNING_ALGORITHM },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  interactions: { policy, url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant({ oidc }) {
    const { session, client: application } = oidc;
    if (!session?.accountId || !application) return undefined;
    const id = session.grantIdFor(application.clientId);
    const existing = id ? await oidc.provider.Grant.find(id) : undefined;
    if (existing) return existing;
    const grant = new oidc.provider.Grant({ clientId: application.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return new URLSearchParams(body);
}

const detailsOf = (ctx: RouterContext) => provider.interactionDetails(ctx.req, ctx.res);
type Details = Awaited<ReturnType<typeof detailsOf>>;

async function finish(ctx: RouterContext, details: Details, result: Result): Promise<void> {
  details.result = { ...details.lastSubmission, ...result };
  await details.persist();
  ctx.status = 303;
  ctx.redirect(details.returnTo);
  ctx.status = 303;
}

const router = new Router();
router.get('/interaction/:uid', async (ctx) => {
  const { uid, prompt } = await detailsOf(ctx);
  const [step, fields] =
    prompt.name === 'login'
      ? ['login', '<input name="login"><input name="password" type="password">']
      : ['totp', '<input name="code">'];
  ctx.type = 'html';
  ctx.body = `<!doctype html><title>${step}</title><form method="post" action="/interaction/${uid}/${step}">${fields}<button>Go on</button></form>`;
});
router.post('/interaction/:uid/login', async (ctx) => {
  const details = await detailsOf(ctx);
  const form = await formOf(ctx.req);
  const account = await accounts.findOne({ _id: form.get('login') ?? '' });
  if (!account || !(await slowVerify(account.passwordHash, form.get('password') ?? ''))) return ctx.throw(401);
  await finish(ctx, details, { first_factor: { accountId: account._id, ts: Math.floor(Date.now() / 1000) } });
});
router.post('/interaction/:uid/totp', async (ctx) => {
  const details = await detailsOf(ctx);
  const first = (details.lastSubmission as Result | undefined)?.first_factor;
  const account = first && (await accounts.findOne({ _id: first.accountId }));
  if (!account) return ctx.throw(401);
  const token = (await formOf(ctx.req)).get('code') ?? '';
  const outcome = await verify({ secret: account.totpSecret, token, epochTolerance: 30 });
  if (!outcome.valid || !('timeStep' in outcome)) return ctx.throw(401);
  const { modifiedCount } = await accounts.updateOne(
    { _id: account._id, lastStep: { $lt: outcome.timeStep } },
    { $set: { lastStep: outcome.timeStep } },
  );
  if (modifiedCount !== 1) return ctx.throw(401);
  await finish(ctx, details, { login: { accountId: account._id, ts: first.ts, amr: ['pwd', 'otp', 'mfa'] } });
});
provider.use(router.routes() as never);
provider.on('server_error', (_ctx, error) => console.error(error));

const server = provider.listen(port, '127.0.0.1', () =>
  attend(BENCH_FOLDER, async () => {
    server.closeAllConnections();
    await client.close();
  }),
);
