import { z } from 'zod';
import {
  type Factor,
  type FactorDeps,
  type FactorMethod,
  type SecretReader,
  sealedInFactors,
  summaryOf,
} from '../../src/factors/contract.js';
import { options, type SmsOptions } from './config.js';
import { isHeld, newest, numberContext, numberIndex, type SmsData, sealNumber } from './data.js';
import { ensureIndexes } from './documents.js';
import { createEnrolment } from './enrolment.js';
import { createFormerNumbers, ensureFormerNumberIndexes } from './former-numbers.js';
import { readNumber } from './numbers.js';
import { createProviders, examineProviders, isLoopback } from './providers/index.js';
import { createSending } from './sending.js';
import { createSignIn } from './sign-in.js';
import { createTexts } from './texts.js';

const METHOD = 'sms';

/** For the operator who imports numbers. */
const NOT_ADOPTED = {
  invalid: 'must be a telephone number that begins with + and its country',
  country: 'is in a country that no texts are sent to',
  not_mobile: 'is no mobile number',
  premium: 'is no number of a person',
} as const;

export interface SmsConfig extends SmsOptions {
  readSecret: SecretReader;
}

export const sms: FactorMethod<SmsConfig, SmsData> = {
  id: METHOD,
  parseConfig: (raw, readSecret) => ({ ...options.parse(raw), readSecret }),

  async examine({ providers, readSecret }) {
    const found = await examineProviders(providers, readSecret).catch(underProviders);
    return found.map(({ level, what }) => ({ level, what: `sms: ${what}` }));
  },

  async ensureIndexes(database) {
    await Promise.all([ensureIndexes(database), ensureFormerNumberIndexes(database)]);
  },

  sealed: [
    sealedInFactors<SmsData>(METHOD, (phone) => [
      { path: 'data.number', sealed: phone.data.number, context: numberContext(phone) },
    ]),
  ],

  create(config, deps): Factor<SmsData> {
    const { clock, factors, secretBox } = deps;
    const providers = providersOf(config, deps);
    const { sender, countries, delivery } = createSending(config, { ...deps, providers });
    const formerNumbers = createFormerNumbers(deps);
    const parts = { ...deps, options: config, sender, countries, formerNumbers, texts: createTexts(deps) };
    return {
      method: METHOD,
      kind: config.mayBeFirst ? 'primary' : 'fallback',
      ...(config.setUp === 'never' ? {} : { inSetUp: config.setUp }),
      evidenceFields: { code: 64 },
      enrolmentFields: { country: 2, number: 32, code: 64, send: 1, restart: 1 },
      enrolment: createEnrolment(parts),
      ...createSignIn(parts),

      summarise(records) {
        const phone = newest(records);
        if (!phone) return [];
        const { masked, usableFrom } = phone.data;
        const held = usableFrom && isHeld(phone, clock.now()) ? { usableFrom } : {};
        return [{ ...summaryOf(phone, { masked }), ...held }];
      },

      async remove(accountId, factorId) {
        const phone = (await factors.find(accountId, 'active')).find(({ _id }) => _id === factorId);
        if (!phone) return false;
        // First: a change that looks like no change would be accepted at once.
        await formerNumbers.remember(accountId, phone);
        return factors.remove(accountId, factorId);
      },

      async adopt({ accountId, factorId }, text) {
        const rules = { countries: await countries.allowed(), landlines: config.landlines };
        // Without a plus sign it could be a number of any country.
        const read = text.startsWith('+') ? readNumber(text, '', rules) : undefined;
        if (read?.status !== 'ok') return { status: 'refused', reason: NOT_ADOPTED[read?.reason ?? 'invalid'] };
        const { number, country, masked } = read;
        const owner = { _id: factorId, accountId };
        return {
          status: 'adopted',
          data: { number: sealNumber(secretBox, owner, number), country, masked },
          label: masked,
          exclusive: numberIndex(secretBox, number),
        };
      },

      warmUp: providers.warmUp,
      deliver: sender.deliver,
      receive: sender.receive,
      delivery,
    };
  },
};

/** @throws ZodError whose paths are those of the method's options. */
function providersOf({ providers, readSecret }: SmsConfig, deps: FactorDeps<SmsData>) {
  const { clock, database, issuer } = deps;
  const outbox = database.collection<{ _id: string; to: string; text: string; at: Date }>('sms_outbox');
  try {
    refuseOutboxInPublic(providers, issuer);
    return createProviders(providers, {
      ...deps,
      callbackBase: `${issuer}/callbacks/${METHOD}`,
      secret: readSecret,
      async keepText({ id, to, text }) {
        await outbox.updateOne({ _id: id }, { $setOnInsert: { to, text, at: clock.now() } }, { upsert: true });
      },
    });
  } catch (error) {
    return underProviders(error);
  }
}

/** Paths of the list become those of the method's options. */
function underProviders(error: unknown): never {
  if (!(error instanceof z.ZodError)) throw error;
  throw new z.ZodError(error.issues.map((issue) => ({ ...issue, path: ['providers', ...issue.path] })));
}

function refuseOutboxInPublic(providers: SmsConfig['providers'], issuer: string): void {
  const index = providers.findIndex(({ type }) => type === 'outbox');
  if (index < 0 || isLoopback(new URL(issuer))) return;
  const message = 'must not be outbox: texts there never leave this server';
  throw new z.ZodError([{ code: 'custom', path: [index, 'type'], message, input: undefined }]);
}
