/** What the samples of the console have in common. */
export type Locals = Readonly<Record<string, unknown>>;
/** @param minutes from the samples' now. */
export type At = (minutes: number) => Date;

export const DAY = 24 * 60;
export const named = (
  prefix: string,
  entries: readonly string[],
  locals: (entry: string) => Locals,
): Record<string, Locals> => Object.fromEntries(entries.map((entry) => [`${prefix}#${entry}`, locals(entry)]));

const SECTIONS = ['queue', 'people', 'overview', 'sms', 'audit', 'clients'];
export const frameOf = (current: string, roles: readonly string[] = ['admin']) => ({
  frame: {
    name: 'Ben Okafor',
    roles,
    signOutAction: '/console/sign-out',
    sections: SECTIONS.map((id) => ({ id, href: `/console/${id}`, isCurrent: id === current })),
  },
});

export const form = { action: '/console/action', key: 'k1', values: {}, isFilled: false, isConfirmed: false };
export const problem = (code: string, status = 422) => ({
  ...form,
  isFilled: true,
  problem: { code, status, document: {} },
});

export const ticks = [
  { name: 'revoke1', id: 'f1', method: 'totp', label: 'Work phone', isTicked: true },
  { name: 'revoke2', id: 'f2', method: 'recovery_code', label: '', isTicked: false },
];
export const values = { requestNumber: '', hours: '24', verifiedBy: '', otherBrowsers: 'access_code', reason: '' };
export const filled = { ...values, requestNumber: 'K7P 4QX', verifiedBy: 'called_number_on_file', hours: '48' };
