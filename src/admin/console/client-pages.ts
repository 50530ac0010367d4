import { LEVELS } from '../../policy/levels.js';
import type { ApiClient } from './api.js';
import { problem } from './api-call.js';
import { clientIdFor, KINDS, kindOf, registrationOf, snippetOf } from './client-snippet.js';
import { type Console, formPage, leadTo, page, show } from './desk.js';
import { word } from './queue-page.js';

const ROWS = 100;
const URIS_LENGTH = 4_000;

const lines = (text: string): string[] =>
  text
    .split(/\s+/)
    .map((line) => line.trim())
    .filter(Boolean);

/** The applications: a list, a wizard that shows what to paste, and what can be changed later. */
export function mountClients(desk: Console): void {
  const listPath = '/console/clients';
  const pathOf = (id: string): string => `${listPath}/${encodeURIComponent(id)}`;
  const levels = LEVELS.filter((level) => level !== '2fa-remembered');

  const toPaste = (client: ApiClient) => ({
    issuer: desk.issuer,
    clientId: client.client_id,
    discovery: `${desk.issuer}/.well-known/openid-configuration`,
    snippet: snippetOf(kindOf(client), desk.issuer, client.client_id, client.redirect_uris?.[0]),
  });

  page(desk, listPath, 'clients', async (ctx, administrator) => {
    const cursor = word(ctx.query.cursor);
    const { api } = administrator;
    const [answer, fixed] = await Promise.all([
      api.clients({ cursor, limit: String(ROWS) }),
      cursor ? undefined : api.clients({ source: 'configuration' }),
    ]);
    if (!answer.ok) return answer.refusal;
    const { next } = answer.data;
    const items = [...answer.data.items, ...(fixed?.ok ? fixed.data.items : [])];
    show(desk, ctx, administrator, 'clients', 'clients', {
      rows: items.map((client) => ({
        id: client.client_id,
        name: client.client_name ?? client.client_id,
        kind: kindOf(client),
        level: client.minimum_acr,
        source: client.source,
        href: desk.url(pathOf(client.client_id)),
      })),
      done: word(ctx.query.done),
      ...(administrator.may('clients:write') ? { newHref: desk.url('/console/new-client') } : {}),
      ...(next ? { nextHref: desk.url(`${listPath}?${new URLSearchParams({ cursor: next })}`) } : {}),
    });
    return undefined;
  });

  formPage(desk, {
    path: '/console/new-client',
    section: 'clients',
    fields: { name: 100, kind: 10, redirectUris: URIS_LENGTH, level: 16 },
    async show(ctx, administrator, _params, filled) {
      const { values } = filled;
      show(desk, ctx, administrator, 'clients', 'new-client', {
        ...filled,
        values: { ...values, kind: values.kind || KINDS[0] },
        kinds: KINDS,
        levels,
        backHref: desk.url(listPath),
      });
      return undefined;
    },
    async send({ api }, { name, kind, redirectUris, level }, _params, key) {
      const known = KINDS.find((one) => one === kind);
      if (!known) return problem(400, 'kind');
      if (!name.trim()) return problem(422, 'name_missing');
      const uris = lines(redirectUris);
      if (known !== 'service' && uris.length === 0) return problem(422, 'redirect_missing');
      return api.addClient(key, {
        client_id: clientIdFor(name, key),
        client_name: name.trim(),
        ...registrationOf(known),
        ...(known === 'service' ? {} : { redirect_uris: uris }),
        ...(levels.some((one) => one === level) && level ? { minimum_acr: level } : {}),
      });
    },
    async done(ctx, administrator, client) {
      show(desk, ctx, administrator, 'clients', 'client-added', {
        name: client.client_name ?? client.client_id,
        kind: kindOf(client),
        secret: client.client_secret,
        ...toPaste(client),
        backHref: desk.url(pathOf(client.client_id)),
      });
    },
  });

  formPage(desk, {
    path: `${listPath}/:id`,
    section: 'clients',
    fields: { name: 100, redirectUris: URIS_LENGTH, level: 16, acceptSuspended: 3, etag: 200 },
    async show(ctx, administrator, { id = '' }, filled) {
      const found = await administrator.api.client(id);
      if (!found.ok) return found.refusal;
      const client = found.data;
      const { values, isFilled, problem: refused } = filled;
      const isEditable = administrator.may('clients:write') && client.source === 'registered';
      const stored = {
        name: client.client_name ?? '',
        redirectUris: (client.redirect_uris ?? []).join('\n'),
        level: client.minimum_acr ?? '',
        acceptSuspended: client.accept_suspended === false ? '' : 'yes',
      };
      // Changed elsewhere in the meantime: what is there now is shown, not what was typed over something older.
      const isStale = refused?.status === 412;
      show(desk, ctx, administrator, 'clients', 'client', {
        ...filled,
        values: isFilled && !isStale ? values : stored,
        etag: found.etag ?? '',
        name: stored.name || client.client_id,
        kind: kindOf(client),
        source: client.source,
        isEditable,
        levels,
        done: word(ctx.query.done),
        hasSecret: client.token_endpoint_auth_method !== 'none',
        ...toPaste(client),
        rotateHref: desk.url(`${pathOf(client.client_id)}/rotate-secret`),
        removeHref: desk.url(`${pathOf(client.client_id)}/remove`),
        backHref: desk.url(listPath),
      });
      return undefined;
    },
    async send({ api }, { name, redirectUris, level, acceptSuspended, etag }, { id = '' }) {
      if (!name.trim()) return problem(422, 'name_missing');
      return api.changeClient(id, etag, {
        client_name: name.trim(),
        redirect_uris: lines(redirectUris),
        minimum_acr: levels.some((one) => one === level) ? level : null,
        accept_suspended: acceptSuspended === 'yes',
      });
    },
    async done(ctx, _administrator, _client, { id = '' }) {
      leadTo(desk, ctx, `${pathOf(id)}?done=saved`);
    },
  });

  formPage(desk, {
    path: `${listPath}/:id/rotate-secret`,
    section: 'clients',
    fields: {},
    async show(ctx, administrator, { id = '' }, filled) {
      const found = await administrator.api.client(id);
      if (!found.ok) return found.refusal;
      show(desk, ctx, administrator, 'clients', 'action', {
        ...filled,
        id: 'rotate_secret',
        name: found.data.client_name ?? id,
        isDangerous: false,
        fields: [],
        backHref: desk.url(pathOf(id)),
      });
      return undefined;
    },
    send: ({ api }, _form, { id = '' }, key) => api.rotateSecret(id, key),
    async done(ctx, administrator, client, { id = '' }) {
      show(desk, ctx, administrator, 'clients', 'secret', {
        id: 'rotate_secret',
        name: client.client_name ?? id,
        value: client.client_secret,
        againHref: ctx.path,
        backHref: desk.url(pathOf(id)),
      });
    },
  });

  formPage(desk, {
    path: `${listPath}/:id/remove`,
    section: 'clients',
    fields: { etag: 200 },
    async show(ctx, administrator, { id = '' }, filled) {
      const found = await administrator.api.client(id);
      if (!found.ok) return found.refusal;
      show(desk, ctx, administrator, 'clients', 'action', {
        ...filled,
        id: 'remove_client',
        name: found.data.client_name ?? id,
        isDangerous: true,
        fields: ['etag'],
        etag: found.etag ?? '',
        backHref: desk.url(pathOf(id)),
      });
      return undefined;
    },
    send: ({ api }, { etag }, { id = '' }) => api.removeClient(id, etag),
    async done(ctx) {
      leadTo(desk, ctx, `${listPath}?done=removed`);
    },
  });
}
