/** Everything between a request and our pages: forms, cookies, CSRF, errors, headers, rendering. */

export type { Brand } from './assets.js';
export { readBody } from './body.js';
export { type CookieSettings, cookieKeysOf, cookieSettings } from './cookies.js';
export { createEventStreams, type EventStream, type EventStreams } from './event-streams.js';
export type { FormFields, FormValues } from './form.js';
export { type Catalogue, createCatalogue } from './i18n.js';
export { createMailRenderer } from './mail-view.js';
export { type Answered, logRefusal, toAppError } from './middleware.js';
export { Pages, seeOther } from './pages.js';
export type { Presenter } from './presenter.js';
export { originOf, type RequestState, stateOf } from './request-state.js';
export { StaticFile } from './static-file.js';
export type { Branding } from './theme.js';
export { createWeb, type Web } from './web.js';
