import type { Brand } from '../http/assets.js';

/** Requests of the method's own clients (no browser, no cookie), to `<issuer><path>/…`: it checks whose they are. */
export interface MethodApi {
  /** Begins with a slash, ends without one. */
  readonly path: string;
  call(request: ApiRequest): Promise<ApiAnswer>;
}

/** An app that browsers load from `<issuer><path>/`: files only, the same for everybody who uses this server. */
export interface MethodSite {
  /** Begins with a slash, ends without one. */
  path: string;
  /** Its name beneath `dist/`; every file right in it. */
  folder: string;
  /** Addresses beneath the path that `index.html` answers too. */
  pages: readonly string[];
  /** All files of a server with this brand, from those that the build made. */
  dress(built: ReadonlyMap<string, Buffer>, brand: Brand): ReadonlyMap<string, Buffer>;
}

export interface ApiRequest {
  /** In capitals; `GET` or `POST`. */
  verb: 'GET' | 'POST';
  /** What follows the API's path, with the slash in front. */
  path: string;
  /** As it is known outside, without a query: what a signature covers. */
  url: string;
  /** Names in small letters. */
  headers: Readonly<Record<string, string | undefined>>;
  body: string;
  ip?: string;
  requestId: string;
}

export interface ApiAnswer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** JSON; absent: no content. A status from 400 on makes it a problem of RFC 9457. */
  body?: object;
  /** In place of the body: events (`text/event-stream`) until one side ends them. */
  listener?: ApiListener;
}

/**
 * A client that listens with its factor: `changed` when what its account is asked is not what it was, see `FactorWatch`; `revoked`, the
 * last one, when the factor is not there any more.
 */
export interface ApiListener {
  accountId: string;
  factorId: string;
  /** The answer where no more can listen. */
  busy: ApiAnswer;
}
