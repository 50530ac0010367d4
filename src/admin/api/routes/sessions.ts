import { z } from 'zod';
import type { Account } from '../../../accounts/index.js';
import type { SessionRecord } from '../../../sessions/index.js';
import { notFound } from '../problem.js';
import { type Route, route, type Subject } from '../route.js';
import { type ApplicationReference, applicationReference } from '../schemas/application.js';
import { id, instant, shown, shownIf } from '../schemas/fields.js';
import type { ApiServices, StoredGrant } from '../services.js';

const sessionSchema = z
  .strictObject({
    id,
    startedAt: instant,
    lastSignInAt: instant,
    provedAt: instant.optional().meta({ description: 'The last proof of a second factor.' }),
    acr: z.string(),
    amr: z.array(z.string()),
    methods: z.array(z.string()),
    applications: z.array(applicationReference),
    ip: z.string().optional(),
    userAgent: z.string().optional(),
  })
  .meta({ id: 'Session' });
const sessionsSchema = z.strictObject({ items: z.array(sessionSchema) }).meta({ id: 'Sessions' });

const grantSchema = z
  .strictObject({
    id,
    application: applicationReference,
    scopes: z.array(z.string()),
    createdAt: instant,
    expiresAt: instant,
  })
  .meta({ id: 'Grant', description: 'What an application may do in the name of the account.' });
const grantsSchema = z.strictObject({ items: z.array(grantSchema) }).meta({ id: 'Grants' });

type NamedSession = SessionRecord & { applications: ApplicationReference[] };
type NamedGrant = Omit<StoredGrant, 'clientId'> & { application: ApplicationReference };

const showSession = (session: NamedSession): z.output<typeof sessionSchema> => ({
  id: session._id,
  startedAt: shown(session.startedAt),
  lastSignInAt: shown(session.lastSignInAt),
  ...shownIf('provedAt', session.provedAt),
  acr: session.acr,
  amr: session.amr,
  methods: session.methods ?? [],
  applications: session.applications,
  ...(session.ip === undefined ? {} : { ip: session.ip }),
  ...(session.userAgent === undefined ? {} : { userAgent: session.userAgent }),
});

const showGrant = ({ createdAt, expiresAt, ...grant }: NamedGrant): z.output<typeof grantSchema> => ({
  ...grant,
  createdAt: shown(createdAt),
  expiresAt: shown(expiresAt),
});

interface Listed<Item> {
  account: Account;
  items: Item[];
}

/** Where an account is signed in, and what it has let applications do. */
export function sessionRoutes({ directory, sessions, grants, applicationName, tell }: ApiServices): Route[] {
  type Params = { params: { accountId: string } };

  const listed =
    <Item>(read: (accountId: string) => Promise<Item[]>, show: (item: Item) => unknown) =>
    async ({ params }: Params): Promise<Subject<Listed<Item>> | undefined> => {
      const entry = await directory.find(params.accountId);
      if (!entry) return undefined;
      const items = await read(params.accountId);
      const { account } = entry;
      return { value: { account, items }, account, representation: { items: items.map(show) } };
    };
  const reference = async (id: string): Promise<ApplicationReference> => ({ id, name: await applicationName(id) });
  const readSessions = async (accountId: string): Promise<NamedSession[]> =>
    Promise.all(
      (await sessions.list(accountId)).map(async (session) => ({
        ...session,
        applications: await Promise.all(session.clientIds.map(reference)),
      })),
    );
  const readGrants = async (accountId: string): Promise<NamedGrant[]> =>
    Promise.all(
      (await grants.list(accountId)).map(async ({ clientId, ...grant }) => ({
        ...grant,
        application: await reference(clientId),
      })),
    );
  const allSessions = listed(readSessions, showSession);
  const allGrants = listed(readGrants, showGrant);
  const oneSession = async (call: { params: { accountId: string; sessionId: string } }) => {
    const found = await allSessions(call);
    const session = found?.value.items.find(({ _id }) => _id === call.params.sessionId);
    return found && session && { ...found, representation: showSession(session) };
  };
  const oneGrant = async (call: { params: { accountId: string; grantId: string } }) => {
    const found = await allGrants(call);
    const grant = found?.value.items.find((known) => known.id === call.params.grantId);
    return found && grant && { ...found, representation: showGrant(grant) };
  };
  const params = z.object({ accountId: id });
  const reading = { tag: 'Sessions', scope: 'sessions:read', scripts: true } as const;
  const revoking = { tag: 'Sessions', scope: 'sessions:revoke', scripts: true } as const;

  return [
    route({
      ...reading,
      id: 'listSessions',
      method: 'GET',
      path: '/accounts/{accountId}/sessions',
      summary: 'Where an account is signed in, latest first (100 at most)',
      params,
      subject: allSessions,
      responses: { 200: { description: 'Its sessions.', schema: sessionsSchema } },
      handle: async ({ subject: { items } }) => ({ status: 200, body: { items: items.map(showSession) } }),
    }),
    route({
      ...revoking,
      id: 'endSession',
      method: 'DELETE',
      path: '/accounts/{accountId}/sessions/{sessionId}',
      summary: 'End one session, its grants and tokens',
      description: 'Applications hear of it by back-channel logout.',
      params: z.object({ accountId: id, sessionId: id }),
      subject: oneSession,
      responses: { 204: { description: 'Ended.' } },
      async handle({ params: { accountId, sessionId }, actor, origin }) {
        const { type, id: by } = actor;
        if (!(await sessions.end(accountId, sessionId, origin, { type, ...(by ? { id: by } : {}) }))) throw notFound();
        return { status: 204 };
      },
    }),
    route({
      ...revoking,
      id: 'endSessions',
      method: 'DELETE',
      path: '/accounts/{accountId}/sessions',
      summary: 'End all sessions, grants and tokens of an account',
      params,
      subject: allSessions,
      responses: { 204: { description: 'Ended.' } },
      async handle({ params: { accountId }, actor, origin }) {
        const { type, id: by } = actor;
        await sessions.endAll(accountId, origin, { by: { type, ...(by ? { id: by } : {}) } });
        return { status: 204 };
      },
    }),
    route({
      ...reading,
      id: 'listGrants',
      method: 'GET',
      path: '/accounts/{accountId}/grants',
      summary: 'What applications may do in the name of an account (100 at most)',
      params,
      subject: allGrants,
      responses: { 200: { description: 'Its grants.', schema: grantsSchema } },
      handle: async ({ subject: { items } }) => ({ status: 200, body: { items: items.map(showGrant) } }),
    }),
    route({
      ...revoking,
      id: 'revokeGrant',
      method: 'DELETE',
      path: '/accounts/{accountId}/grants/{grantId}',
      summary: 'Revoke one grant and everything issued under it',
      params: z.object({ accountId: id, grantId: id }),
      subject: oneGrant,
      responses: { 204: { description: 'Revoked.' } },
      async handle({ params: { accountId, grantId }, actor, subject: { items } }) {
        await grants.revoke(grantId);
        const clientId = items.find((grant) => grant.id === grantId)?.application.id;
        await tell({ type: 'grant_revoked', accountId, by: actor, ...(clientId ? { clientId } : {}) });
        return { status: 204 };
      },
    }),
  ];
}
