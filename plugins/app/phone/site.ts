import type { MethodSite } from '../../../src/factors/contract.js';
import { dress } from './dress.js';

/** The app on the phone, as `build.ts` makes it and `dress.ts` finishes it for one server. */
export const PHONE_SITE: MethodSite = { path: '/app', folder: 'app', pages: ['pair', 'confirm'], dress };
