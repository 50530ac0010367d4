/** What was looked at, how it is, and what to do about it. */
export interface Finding {
  level: 'ok' | 'warning' | 'error';
  what: string;
}

export const OK = (what: string): Finding => ({ level: 'ok', what });
export const WARNING = (what: string): Finding => ({ level: 'warning', what });
export const ERROR = (what: string): Finding => ({ level: 'error', what });
