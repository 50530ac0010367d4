import { hasNotMe, NOTICES } from '../../src/notifications/contract.js';
import { apiDocs } from './api-docs-sample.js';
import { appSamples, trustedPhones } from './app-samples.js';
import { consoleSamples } from './console-samples.js';
import { phoneNumber, smsSamples } from './sms-samples.js';

/** Locals of every page, in every state worth looking at: `<view>` or `<view>#<state>`. */
const at = (minutes: number): Date => new Date(Date.UTC(2026, 10, 23, 9, 0) + minutes * 60_000);

export const NOW = at(0);
const day = 24 * 60;
const cancelAction = '/interaction/abc/cancel';
const login = 'anna@example.com';
const applicationName = 'Time Sheets';
const base = { action: '/interaction/abc', applicationName, login, cancelAction };
const otherMethodsHref = '/interaction/abc/methods';

/** A square of the right size and look; no reader gets anything out of it. */
const qrSvg = `<svg viewBox="0 0 33 33" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h33v33H0z"/><path fill="#000" d="${Array.from(
  { length: 33 * 33 },
  (_, index) =>
    (index * 7919 + Math.floor(index / 33) * 104_729) % 5 < 2 ? `M${index % 33} ${Math.floor(index / 33)}h1v1h-1z` : '',
).join('')}"/></svg>`;

const totp = { id: 'totp', href: '/interaction/abc/totp', factors: [], labels: ['Work phone'] };
const recoveryCode = { id: 'recovery_code', href: '/interaction/abc/recovery_code', factors: [], facts: { left: 7 } };
const sms = { id: 'sms', href: '/interaction/abc/sms', factors: [], facts: { masked: '···· 42' } };
const totpEnrol = {
  action: '/interaction/abc/set-up/totp',
  step: { n: 2, of: 3 },
  qrSvg,
  secretGroups: ['JBSW', 'Y3DP', 'EHPK', '3PXP', 'JBSW', 'Y3DP', 'EHPK', '3PXP'],
  otpauthUri: 'otpauth://totp/Example:anna?secret=JBSWY3DPEHPK3PXP&issuer=Example',
  backHref: '/interaction/abc/set-up',
};
const codes = [
  '7KQX-M2RD-9VTH-C4WN',
  'P3HF-8YJZ-W6KB-2GXT',
  'R9DM-4CVN-T7QK-H5PX',
  'X2BG-6WTR-J8ZN-K3FM',
  'C5NT-H9PV-3DXK-Q7RB',
  'J4ZW-2MGF-X8CT-9KND',
  'V6RK-B3QH-7NPW-D2TJ',
  'G8FX-5TCM-K4ZD-R6HV',
  'N2PJ-9XWB-6QRT-M8GC',
  'T7KD-3HVZ-C5FN-X4PQ',
];
const codesEnrol = { action: '/interaction/abc/set-up/recovery_code', step: { n: 3, of: 3 }, codes, createdAt: NOW };
const newPassword = { action: '/password/new', login, minimumLength: 15 };
const browser = 'Firefox on Windows';

const account = {
  account: { login, name: 'Anna Berger', email: login },
  level: '2fa',
  methods: [
    {
      id: 'totp',
      kind: 'primary',
      addHref: '/account/set-up/totp',
      factors: [
        {
          id: 'f1',
          label: 'Work phone',
          createdAt: at(-200 * day),
          lastUsedAt: at(-1),
          renameHref: '/account/f1/rename',
          removeHref: '/account/f1/remove',
        },
        {
          id: 'f2',
          label: 'Tablet in the drawer',
          createdAt: at(-3 * day),
          renameHref: '/account/f2/rename',
          removeHref: '/account/f2/remove',
        },
      ],
    },
    phoneNumber(at(-30)),
    { id: 'recovery_code', kind: 'reserve', factors: [] },
  ],
  recoveryCodes: { left: 7, createdAt: at(-200 * day), newHref: '/account/set-up/recovery_code' },
  passwordHref: '/account/password',
  passwordChangedAt: at(-90 * day),
  sessions: [
    {
      uid: 's1',
      current: true,
      startedAt: at(-42),
      lastSeenAt: at(-1),
      browser,
      ip: '192.0.2.17',
      applications: ['Time Sheets', 'Wiki'],
      endAction: '/account/sessions/s1/end',
    },
    {
      uid: 's2',
      current: false,
      startedAt: at(-300),
      lastSeenAt: at(-120),
      browser: 'Safari on iPhone',
      ip: '2001:db8:85a3::8a2e:370:7334',
      applications: [],
      endAction: '/account/sessions/s2/end',
    },
  ],
  signIns: [
    { at: at(-42), applicationName, methods: ['password', 'totp'], browser, ip: '192.0.2.17', ok: true },
    {
      at: at(-300),
      applicationName: 'Wiki',
      methods: ['password', 'recovery_code'],
      browser,
      ip: '192.0.2.17',
      ok: true,
    },
    { at: at(-2 * day), methods: ['password'], browser: 'Chrome on Android', ip: '198.51.100.4', ok: false },
  ],
  endAllHref: '/account/sign-out-everywhere',
  signOutHref: '/session/end',
};

const waiting = {
  number: 'K7P 4QX',
  createdAt: at(-4),
  administratorsTold: 3,
  eventsHref: '/request/events',
  stateHref: '/request/state',
  refreshHref: '/request',
  confirmHref: '/methods',
  withdrawAction: '/request/withdraw',
};

export const SAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'sign-in': { ...base, login: undefined, forgotHref: '/password/forgot' },
  'sign-in#wrong': { ...base, forgotHref: '/password/forgot', error: 'wrong' },
  'sign-in#throttled': { ...base, forgotHref: '/password/forgot', error: 'throttled', retryAt: at(0.75) },
  'sign-in#throttled-seconds': { ...base, error: 'throttled', retrySeconds: 600 },
  'sign-in#ended': { ...base, isLoginFixed: true, error: 'ended' },
  'sign-in#password_expired': { ...base, error: 'password_expired', applicationName: undefined },
  'switch-account': { action: '/interaction/abc', current: login, requested: 'ben@example.com' },
  methods: { ...base, methods: [totp, sms, recoveryCode], backHref: '/interaction/abc/totp' },
  'methods#app': { ...base, methods: [{ id: 'app', href: '/a', factors: [], labels: ['Pixel 9', 'iPhone'] }, totp] },
  'methods#off': {
    ...base,
    required: 'phr',
    methods: [
      { ...totp, disabledReason: 'throttled', retryAt: at(10) },
      { ...recoveryCode, disabledReason: 'disabled' },
      { ...sms, disabledReason: 'out_of_service' },
      { ...sms, disabledReason: 'new', retryAt: at(10) },
      { ...sms, disabledReason: 'not_served' },
    ],
  },
  'methods#suspended': {
    ...base,
    methods: [totp, recoveryCode],
    ways: ['set_up', 'access_code', 'access_pass', 'cannot_confirm'].map((id) => ({
      id,
      href: `/second-factor/abc/${id}`,
    })),
  },
  'methods#none': { ...base, methods: [], ways: [{ id: 'cannot_confirm', href: '/request', isWaiting: true }] },
  'recovery/ask': { ...base, usualHours: 'Monday to Friday, 8:00 to 18:00', backHref: otherMethodsHref },
  'recovery/ask#problem': {
    ...base,
    contact: '+49 30 1234567',
    note: 'My phone fell into the canal on the way to the office.',
    problems: ['circumstances', 'note'],
    backHref: otherMethodsHref,
  },
  'recovery/ask#chosen': { ...base, circumstances: 'broken', problems: ['note'], backHref: otherMethodsHref },
  'recovery/full': { ...base, backHref: otherMethodsHref },
  'recovery/wait': { ...waiting, login },
  'recovery/wait#rival': { ...waiting, hasRival: true, administratorsTold: 1, confirmHref: undefined },
  'recovery/over#password': { state: 'password', until: at(2 * day), login, continueHref: '/auth/abc' },
  'recovery/over#approved': { state: 'approved', until: at(day), startHref: '/start', application: applicationName },
  'recovery/over#approved-plain': { state: 'approved', until: at(day), startHref: '/account' },
  'recovery/over#declined': {
    state: 'declined',
    login,
    decisionReason: 'I could not reach you at the number we have on file. Please come to the desk in room 214.',
    retryAt: at(12),
    askHref: '/ask',
    methodsHref: otherMethodsHref,
    cancelAction,
  },
  'recovery/over#expired': { state: 'expired', login, askHref: '/ask', methodsHref: otherMethodsHref },
  'recovery/over#withdrawn': {
    state: 'withdrawn',
    login,
    askHref: '/ask',
    methodsHref: otherMethodsHref,
    cancelAction,
  },
  'recovery/over#superseded': { state: 'superseded', application: applicationName },
  'recovery/over#ended': { state: 'ended', startHref: '/start', application: applicationName },
  'recovery/over#ended-plain': { state: 'ended' },
  'recovery/access-code': { ...base, otherMethodsHref },
  'recovery/access-code#rejected': { ...base, otherMethodsHref, error: 'rejected' },
  'recovery/access-code#throttled': { ...base, otherMethodsHref, error: 'throttled', retryAt: at(1) },
  'recovery/access-pass': { ...base, otherMethodsHref },
  'recovery/access-pass#rejected': { ...base, otherMethodsHref, error: 'rejected' },
  'recovery/access-pass#disabled': { ...base, otherMethodsHref, error: 'throttled' },
  'recovery/refused': { ...base, until: at(day), setUpHref: '/set-up', accessCodeHref: '/access-code' },
  'recovery/refused#code': { ...base, until: at(day), accessCodeHref: '/access-code' },
  'totp/enter': { ...base, otherMethodsHref },
  'totp/enter#rejected': { ...base, otherMethodsHref, error: 'rejected', failures: 2 },
  'totp/enter#throttled': { ...base, otherMethodsHref, error: 'throttled', retryAt: at(2) },
  'totp/enter#disabled': { ...base, otherMethodsHref, error: 'disabled', applicationName: undefined },
  'totp/enrol': totpEnrol,
  'totp/enrol#change': { ...totpEnrol, step: undefined, inPlaceOf: 'Work phone' },
  'totp/enrol#rejected': { ...totpEnrol, error: 'rejected', label: 'Work phone' },
  'totp/enrol#expired': { ...totpEnrol, error: 'not_enrolled' },
  'totp/enrol#throttled': { ...totpEnrol, error: 'throttled', retryAt: at(1) },
  'recovery_code/enter': { ...base, otherMethodsHref },
  'recovery_code/enter#rejected': {
    ...base,
    otherMethodsHref,
    error: 'rejected',
    failures: 2,
    applicationName: undefined,
  },
  'recovery_code/enrol': codesEnrol,
  'recovery_code/enrol#rejected': { ...codesEnrol, replaces: true, error: 'rejected' },
  'recovery_code/enrol#expired': { ...codesEnrol, error: 'expired' },
  'recovery_code/enrol#throttled': { ...codesEnrol, error: 'throttled', retryAt: at(180) },
  'set-up/choose': {
    ...base,
    reason: 'required',
    methods: [{ id: 'totp' }],
    step: { n: 1, of: 3 },
    later: { action: '/interaction/abc/later', deadline: at(5 * day) },
  },
  'set-up/choose#offered': { ...base, reason: 'offered', methods: [{ id: 'totp' }, { id: 'recovery_code' }] },
  'set-up/choose#app': { ...base, reason: 'offered', methods: [{ id: 'totp' }, { id: 'app' }] },
  'set-up/choose#app-only': { ...base, reason: 'required', methods: [{ id: 'app' }] },
  'set-up/choose#sms': { ...base, reason: 'offered', methods: [{ id: 'totp' }, { id: 'sms' }] },
  'set-up/choose#only-sms': { ...base, reason: 'required', methods: [{ id: 'sms' }] },
  'set-up/choose#suspension_over': { ...base, reason: 'suspension_over', methods: [{ id: 'totp' }] },
  'set-up/choose#suspended': {
    ...base,
    reason: 'suspended',
    suspendedUntil: at(day),
    methods: [{ id: 'totp' }],
    step: { n: 1, of: 3 },
    later: { action: '/interaction/abc/later' },
    confirmHref: otherMethodsHref,
  },
  'set-up/choose#access_pass': { ...base, reason: 'access_pass', methods: [{ id: 'totp' }] },
  'set-up/not-permitted': {
    ...base,
    canSendLink: false,
    contact: 'help@example.com',
    accessPassHref: '/pass',
    otherMethodsHref,
  },
  'set-up/not-permitted#link': { ...base, canSendLink: true, sendLinkAction: '/interaction/abc/send-link' },
  'set-up/not-permitted#sent': { ...base, canSendLink: true, sendLinkAction: '/interaction/abc/send-link', sent: true },
  'set-up/done': {
    continueAction: '/interaction/abc/done',
    applicationName,
    methods: ['totp', 'sms', 'recovery_code'],
  },
  'set-up/done#plain': { continueHref: '/account' },
  consent: {
    action: '/interaction/abc',
    applicationName: 'Partner Portal',
    clientUri: 'https://partner.example',
    policyUri: 'https://partner.example/privacy',
    tosUri: 'https://partner.example/terms',
    scopes: ['openid', 'profile', 'email', 'groups', 'phone', 'address', 'offline_access', 'invoices:read'].map(
      (name) => ({ name }),
    ),
    claims: ['department'],
    resources: [{ identifier: 'https://api.example.com', scopes: ['timesheets:read', 'timesheets:write'] }],
    login,
    switchAction: '/interaction/abc/switch',
  },
  'consent#least': { action: '/a', applicationName: 'Partner Portal', scopes: [{ name: 'openid' }], login },
  logout: { form: { action: '/session/end/confirm', xsrf: 'x1' }, applicationName },
  'logout#plain': { form: { action: '/session/end/confirm', xsrf: 'x1' } },
  'logout-done': { applicationName, href: 'https://app.example.com/' },
  'device-code': { action: '/device', xsrf: 'x1' },
  ...Object.fromEntries(
    ['not_found', 'expired', 'used', 'aborted', 'missing', 'other'].map((error) => [
      `device-code#${error}`,
      { action: '/device', xsrf: 'x1', userCode: 'BCDF-GHJK', error },
    ]),
  ),
  'device-confirm': {
    action: '/device',
    xsrf: 'x1',
    userCode: 'BCDF-GHJK',
    applicationName: 'Meeting Room Display',
    deviceInfo: { ip: '192.0.2.44', userAgent: 'DisplayOS/4.1 (Meeting Room 3; Linux armv7l)' },
  },
  'device-confirm#plain': { action: '/device', xsrf: 'x1', userCode: 'BCDF-GHJK' },
  'api-docs': apiDocs,
  'device-done': { applicationName: 'Meeting Room Display' },
  'device-done#plain': {},
  error: { code: 'DATABASE_UNAVAILABLE', requestId: '7f3a19c2b4d8', retryAfterSeconds: 60 },
  'error#application': {
    code: 'OAUTH_ERROR',
    error: 'invalid_request',
    description: "redirect_uri did not match any of the client's registered redirect_uris",
    requestId: '7f3a19c2b4d8',
    application: { name: applicationName, href: 'https://app.example.com/' },
  },
  ended: { applicationName, href: 'https://app.example.com/', reason: 'expired' },
  'ended#back': { applicationName, reason: 'back' },
  'ended#signed_out': { reason: 'signed_out' },
  'ended#plain': { href: 'https://app.example.com/' },
  'password/forgot': { action: '/password/forgot' },
  'password/forgot#missing': { action: '/password/forgot', error: 'missing' },
  'password/forgot#throttled': { action: '/password/forgot', error: 'throttled', retrySeconds: 30 },
  'password/forgot#sent': { action: '/password/forgot', sent: true },
  'password/new': { ...newPassword, purpose: 'invitation' },
  'password/new#reset': { ...newPassword, purpose: 'password_reset', problems: ['too_short', 'mismatch'] },
  'password/new#change': {
    ...newPassword,
    purpose: 'change',
    backHref: '/account',
    problems: ['wrong_current', 'too_long', 'common', 'contains_login', 'same', 'throttled'],
    retrySeconds: 30,
  },
  'password/new#forced': { ...newPassword, purpose: 'forced', cancelAction, applicationName },
  ...Object.fromEntries(
    ['invitation', 'password_reset', 'change', 'forced'].map((purpose) => [
      `password/done#${purpose}`,
      { purpose, continueHref: '/account' },
    ]),
  ),
  link: { action: '/link/confirm', purpose: 'confirm_email', login },
  'link-done': { purpose: 'confirm_email' },
  ...Object.fromEntries(
    ['invitation', 'password_reset', 'confirm_email', 'not_me', 'other'].map((purpose) => [
      `link-unusable#${purpose}`,
      { purpose, href: purpose === 'password_reset' ? '/password/forgot' : undefined },
    ]),
  ),
  ...Object.fromEntries(
    NOTICES.filter(hasNotMe).map((what) => [`not-me#${what}`, { action: '/not-me', what, at: at(-30) }]),
  ),
  'not-me': { action: '/not-me', at: at(-30) },
  'not-me-done': { passwordHref: '/password/forgot' },
  'account/home': account,
  'account/home#new-number': {
    ...account,
    methods: [...account.methods.slice(0, 1), phoneNumber(at(-30), at(day - 30))],
  },
  'account/home#no-number': {
    ...account,
    methods: [...account.methods.slice(0, 1), { ...phoneNumber(at(-30)), factors: [] }],
  },
  'account/home#phones': { ...account, methods: [trustedPhones(at, ['Pixel 9', 'Pixel 9 2'])] },
  'account/home#no-phone': { ...account, methods: [trustedPhones(at, [])] },
  'account/home#suspended': { ...account, level: '1fa', suspension: { until: at(day), setUpHref: '/account/turn-on' } },
  'account/home#bare': {
    ...account,
    account: { login: 'ben', name: 'Ben Okafor', email: 'ben@example.com' },
    banner: { kind: 'no_second_factor' },
    methods: [{ id: 'totp', kind: 'primary', addHref: '/account/set-up/totp', factors: [] }],
    recoveryCodes: { left: 0, newHref: '/account/set-up/recovery_code' },
    passwordChangedAt: undefined,
    endAllHref: undefined,
    endAllAction: '/account/sign-out-everywhere',
    sessions: [{ uid: 's1', current: true, startedAt: at(-42) }],
    signIns: [],
  },
  ...Object.fromEntries(
    [
      'no_recovery_codes',
      'few_recovery_codes',
      'enrolled',
      'renamed',
      'removed',
      'codes_created',
      'password_changed',
      'session_ended',
      'sessions_ended',
      'updated',
      'changed',
      'tried',
    ].map((kind) => [`account/home#${kind}`, { ...account, banner: { kind, left: 2 } }]),
  ),
  'account/rename': { action: '/account/f1/rename', label: 'Work phone', backHref: '/account' },
  'account/rename#problem': { action: '/account/f1/rename', label: '', backHref: '/account', error: 'missing' },
  'account/remove': { action: '/a', label: 'Work phone', method: 'totp', isLast: true, backHref: '/account' },
  'account/remove#problem': { action: '/a', label: 'Tablet', method: 'totp', backHref: '/account', error: 'gone' },
  'account/sign-out-everywhere': { action: '/account/sign-out-everywhere', backHref: '/account' },
  ...appSamples(at, qrSvg),
  ...smsSamples(at),
  ...consoleSamples(at),
};
