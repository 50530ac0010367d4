import { z } from 'zod';
import type { Factor, FactorMethod } from '../../src/factors/contract.js';
import { approvalEndpoints } from './approvals.js';
import { createChallenges, ensureChallengeIndexes, SEALED_NUMBERS } from './challenges.js';
import { type AppData, SEALED_IN_PHONES, summarise } from './data.js';
import { createDeviceApi } from './device-api.js';
import { deviceEndpoints } from './device-endpoints.js';
import { createEnrolment } from './enrolment.js';
import { createLimits } from './limits.js';
import { createNotMe } from './not-me.js';
import { createPair } from './pair.js';
import { createPairings, ensurePairingIndexes } from './pairing.js';
import { PHONE_SITE } from './phone/site.js';
import { createPush } from './push.js';
import { SEALED_PUSH_KEYS } from './push-keys.js';
import { pushOptions } from './push-options.js';
import { createRequestAuth, ensureRequestIndexes } from './request-auth.js';
import { createSignIn } from './sign-in.js';

const METHOD = 'app';
/** Also how many could be asked to confirm one sign-in. */
const MAXIMUM_PER_ACCOUNT = 3;

const options = z
  .strictObject({
    /** Of the number on the sign-in page. SP 800-63B-4 section 3.1.3.2 asks for six. */
    numberDigits: z.int().min(2).max(6).default(6),
    limits: z
      .strictObject({
        /** How often the phones of one account are woken without an answer that signs in. */
        perAccount: z.strictObject({ perHour: z.int().min(1).default(20) }).prefault({}),
      })
      .prefault({}),
    /** Waking phones. */
    push: pushOptions.prefault({}),
  })
  .prefault({});

export type AppOptions = z.output<typeof options>;

export const app: FactorMethod<AppOptions, AppData> = {
  id: METHOD,
  parseConfig: (raw) => options.parse(raw),

  async ensureIndexes(database) {
    await Promise.all([
      ensureRequestIndexes(database),
      ensurePairingIndexes(database),
      ensureChallengeIndexes(database),
    ]);
  },

  sealed: [SEALED_IN_PHONES, SEALED_NUMBERS, SEALED_PUSH_KEYS],

  create(config, deps): Factor<AppData> {
    const push = createPush(config.push, deps);
    const parts = {
      ...deps,
      auth: createRequestAuth(deps),
      pairings: createPairings(deps),
      challenges: createChallenges(deps, { digits: config.numberDigits }),
      push,
      limits: createLimits(deps, config.limits.perAccount),
    };
    const notMe = createNotMe(deps, parts);
    return {
      method: METHOD,
      kind: 'primary',
      maximumPerAccount: MAXIMUM_PER_ACCOUNT,
      isTried: true,
      memory: 'own',
      evidenceFields: {},
      enrolmentFields: { digits: 16, restart: 1 },
      enrolment: createEnrolment(parts, MAXIMUM_PER_ACCOUNT),

      summarise,
      ...createSignIn(parts),
      remove: (accountId, factorId) => deps.factors.remove(accountId, factorId),
      deliver: push.deliver,
      keys: push.keys,

      site: PHONE_SITE,
      api: createDeviceApi(deps, {
        ...parts,
        pair: createPair(parts),
        endpoints: [...deviceEndpoints(parts), push.endpoint, ...approvalEndpoints(deps, { ...parts, notMe })],
      }),
    };
  },
};
