/** A request from outside, to `<issuer>/callbacks/<method>/<service>/<id>`. */
export interface Callback {
  service: string;
  id: string;
  /** As it is known outside: what a signature covers. */
  url: string;
  /** Names in small letters. */
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
}
