import type { MethodSite } from '../../../src/factors/contract.js';

/** The app on the phone, as `build.ts` makes it. */
export const PHONE_SITE: MethodSite = { path: '/app', folder: 'app', pages: ['pair', 'confirm'] };
