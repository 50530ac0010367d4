import type { Role } from '../../accounts/contract.js';
import type { OtherBrowsers, RecoveryRequest, Suspension, Verification } from '../../recovery-desk/contract.js';
import type { Answer, Call } from './api-call.js';

/** As the management API shows them; instants are dates already. */
export interface ApiAccount {
  id: string;
  login: string;
  name: string;
  email?: string;
  groups: string[];
  active: boolean;
  roles: Role[];
  createdAt: Date;
  /** The highest that the account can reach. */
  level: string;
  /** A factor is set up that is enough by itself. */
  covered: boolean;
  methods: string[];
  suspension?: { id: string; until: Date };
}
export interface ApiFactor {
  id: string;
  method: string;
  label?: string;
  level?: string;
  createdAt: Date;
  lastUsedAt?: Date;
  /** Too new to be accepted before then. */
  usableFrom?: Date;
}
export interface ApiSession {
  id: string;
  startedAt: Date;
  lastSignInAt?: Date;
  acr?: string;
  ip?: string;
  userAgent?: string;
  applications: { id: string; name: string }[];
}
/** Whose something in a list is. */
export interface ApiAccountReference {
  id: string;
  login: string;
  name: string;
  groups: string[];
  roles: Role[];
}
export type ApiRequest = Omit<RecoveryRequest, 'accountId' | 'clientId'> & {
  application?: { id: string; name: string };
  account: ApiAccountReference;
  openRequestsOfAccount: number;
};
export type ApiSuspension = Omit<Suspension, 'accountId'> & { account: ApiAccountReference };
export interface ApiAccessPass {
  id: string;
  createdAt: Date;
  expiresAt: Date;
  usedAt?: Date;
  revokedAt?: Date;
}
export interface ApiAuditEvent {
  id: string;
  at: Date;
  type: string;
  accountId?: string;
  actor: { type: string; id?: string };
  clientId?: string;
  origin?: { ip?: string; userAgent?: string };
  details?: Readonly<Record<string, unknown>>;
}
export interface ApiClient {
  client_id: string;
  client_name?: string;
  source: 'registered' | 'configuration';
  redirect_uris?: string[];
  minimum_acr?: string;
  client_secret?: string;
  token_endpoint_auth_method?: string;
  accept_suspended?: boolean;
  application_type?: string;
  grant_types?: string[];
}
export interface ApiCoverage {
  accounts: { active: number; deactivated: number; covered: number };
  byMethod: { method: string; accounts: number }[];
  /** Oldest first; `none` is a password alone. */
  signIns: { day: string; total: number; byMethod: Record<string, number> }[];
  isFirstEnrolmentWeak: boolean;
}
export interface ApiSmsCountry {
  country: string;
  callingCode: string;
  state: 'open' | 'closed';
  because: string;
  since?: Date;
}
/** Amounts are decimal numbers in `currency`. */
interface ApiSmsCounts {
  sent: number;
  delivered: number;
  failed: number;
  used: number;
  amount: string;
}
export interface ApiSmsReport {
  currency: string;
  budget: {
    day: string;
    messages: number;
    messagesLimit: number;
    amount: string;
    amountLimit?: string;
    isExhausted: boolean;
    endsAt: Date;
  };
  /** Latest first. */
  days: (ApiSmsCounts & { day: string })[];
  countries: (ApiSmsCountry & ApiSmsCounts & { conversion?: number })[];
}
export interface ListOf<T> {
  items: T[];
  next?: string;
}

export interface Decision {
  outcome: 'approved' | 'declined';
  requestNumber?: string;
  hours?: number;
  verifiedBy?: Verification;
  reason?: string;
  revokeFactorIds?: string[];
  otherBrowsers?: OtherBrowsers;
}
export type NewSuspension = Omit<Decision, 'outcome' | 'requestNumber'>;

type Query = Readonly<Record<string, string | undefined>>;
type Send = <T>(path: string, call?: Call) => Promise<Answer<T>>;

/** What changes something carries a key under which it happens once. */
type Key = string;

/** The management API in words: one method for each thing that the console does. */
export function createApi(send: Send) {
  const segment = encodeURIComponent;
  const account = (id: string): string => `/accounts/${segment(id)}`;
  const post = <T>(path: string, idempotencyKey: Key, body: unknown = {}) =>
    send<T>(path, { method: 'POST', body, idempotencyKey });

  return {
    accounts: (query: Query) => send<ListOf<ApiAccount>>('/accounts', { query }),
    account: (id: string) => send<ApiAccount>(account(id)),
    changeAccount: (id: string, ifMatch: string, body: unknown) =>
      send<ApiAccount>(account(id), { method: 'PATCH', ifMatch, body }),
    deactivate: (id: string, key: Key) => post<unknown>(`${account(id)}/deactivate`, key),
    reactivate: (id: string, key: Key) => post<unknown>(`${account(id)}/reactivate`, key),
    resetPassword: (id: string, key: Key) => post<unknown>(`${account(id)}/password-reset`, key),
    invite: (id: string, key: Key) => post<unknown>(`${account(id)}/invitations`, key),
    setRole: (id: string, role: string, isGranted: boolean, ifMatch: string) =>
      send<unknown>(`${account(id)}/roles/${segment(role)}`, { method: isGranted ? 'PUT' : 'DELETE', ifMatch }),

    factors: (id: string) => send<ListOf<ApiFactor>>(`${account(id)}/factors`),
    factor: (id: string, factorId: string) => send<ApiFactor>(`${account(id)}/factors/${segment(factorId)}`),
    revokeFactor: (id: string, factorId: string, ifMatch: string) =>
      send<unknown>(`${account(id)}/factors/${segment(factorId)}`, { method: 'DELETE', ifMatch }),

    issuePass: (id: string, key: Key) => post<{ pass?: string; expiresAt: Date }>(`${account(id)}/access-passes`, key),
    passes: (id: string) => send<ListOf<ApiAccessPass>>(`${account(id)}/access-passes`),

    pass: (id: string, passId: string) => send<ApiAccessPass>(`${account(id)}/access-passes/${segment(passId)}`),
    withdrawPass: (id: string, passId: string) =>
      send<unknown>(`${account(id)}/access-passes/${segment(passId)}`, { method: 'DELETE', ifMatch: '*' }),

    requests: (query: Query) => send<ListOf<ApiRequest>>('/recovery-requests', { query }),
    request: (id: string) => send<ApiRequest>(`/recovery-requests/${segment(id)}`),
    decide: (id: string, key: Key, decision: Decision) =>
      post<{ request: ApiRequest }>(`/recovery-requests/${segment(id)}/decision`, key, decision),

    suspensions: (query: Query) => send<ListOf<ApiSuspension>>('/suspensions', { query }),
    suspend: (id: string, key: Key, suspension: NewSuspension) =>
      post<ApiSuspension>(`${account(id)}/suspensions`, key, suspension),
    endSuspension: (id: string, key: Key, reason?: string) =>
      post<ApiSuspension>(`/suspensions/${segment(id)}/end`, key, reason ? { reason } : {}),
    issueAccessCode: (id: string, key: Key) => post<{ code?: string }>(`/suspensions/${segment(id)}/access-codes`, key),

    sessions: (id: string) => send<ListOf<ApiSession>>(`${account(id)}/sessions`),
    endSessions: (id: string) => send<unknown>(`${account(id)}/sessions`, { method: 'DELETE', ifMatch: '*' }),
    endSession: (id: string, sessionId: string) =>
      send<unknown>(`${account(id)}/sessions/${segment(sessionId)}`, { method: 'DELETE', ifMatch: '*' }),

    clients: (query: Query) => send<ListOf<ApiClient>>('/clients', { query }),
    client: (id: string) => send<ApiClient>(`/clients/${segment(id)}`),
    addClient: (key: Key, client: unknown) => post<ApiClient>('/clients', key, client),
    changeClient: (id: string, ifMatch: string, client: unknown) =>
      send<ApiClient>(`/clients/${segment(id)}`, { method: 'PATCH', ifMatch, body: client }),
    removeClient: (id: string, ifMatch: string) =>
      send<unknown>(`/clients/${segment(id)}`, { method: 'DELETE', ifMatch }),
    rotateSecret: (id: string, key: Key) => post<ApiClient>(`/clients/${segment(id)}/rotate-secret`, key),

    auditEvents: (query: Query) => send<ListOf<ApiAuditEvent>>('/audit-events', { query }),
    coverage: () => send<ApiCoverage>('/reports/coverage'),

    smsReport: (query: Query) => send<ApiSmsReport>('/reports/sms', { query }),
    smsCountry: (country: string) => send<ApiSmsCountry>(`/sms/countries/${segment(country)}`),
    setSmsCountry: (country: string, state: 'open' | 'closed', ifMatch: string) =>
      send<ApiSmsCountry>(`/sms/countries/${segment(country)}`, { method: 'PUT', ifMatch, body: { state } }),
  };
}

export type Api = ReturnType<typeof createApi>;
