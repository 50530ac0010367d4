/** Where this app lives, and what the codes of its pages say. */

/** `<issuer>` of an app served at `<issuer>/app/`. @param script address of a file right in the app's folder */
export const issuerOf = (script: string): string => new URL('..', script).href.replace(/\/$/, '');

export type Scanned =
  | { what: 'pair'; code: string }
  | { what: 'confirm'; number: string }
  /** A code of ours, of another server. */
  | { what: 'elsewhere'; host: string }
  | undefined;

/** What a scanned text, or the address that this app was opened at, asks for. @param issuer of this app */
export function readAddress(text: string, issuer: string): Scanned {
  const [, base = '', what, rest = ''] = /^(https?:\/\/.+)\/app\/(pair|confirm)#(.+)$/.exec(text.trim()) ?? [];
  const isPair = what === 'pair' && /^[\w-]{43}$/.test(rest);
  const isConfirm = what === 'confirm' && /^\d{2,10}$/.test(rest);
  if (!isPair && !isConfirm) return undefined;
  if (base !== issuer) return URL.canParse(base) ? { what: 'elsewhere', host: new URL(base).host } : undefined;
  return isPair ? { what: 'pair', code: rest } : { what: 'confirm', number: rest };
}
