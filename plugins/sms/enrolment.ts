import {
  type Enrollee,
  type EnrolmentOutcome,
  type Factor,
  type FactorDeps,
  type FactorRecord,
  inSeconds,
} from '../../src/factors/contract.js';
import { CODE_TTL_SECONDS, hashCode, makeCode, readCode } from './code.js';
import type { SmsOptions } from './config.js';
import type { Countries } from './countries.js';
import { newest, numberIndex, openNumber, type Phone, type SmsData, sealNumber } from './data.js';
import type { FormerNumbers } from './former-numbers.js';
import { countryChoices, readNumber } from './numbers.js';
import type { Sender } from './sender.js';
import { showMessage } from './shown.js';
import type { Texts } from './texts.js';

const PENDING_TTL_SECONDS = 3600;

const REJECTED = (code: 'malformed' | 'wrong' | 'expired' | 'not_enrolled'): EnrolmentOutcome => ({
  status: 'rejected',
  code,
});

interface EnrolmentDeps extends FactorDeps<SmsData> {
  options: SmsOptions;
  sender: Sender;
  countries: Countries;
  formerNumbers: FormerNumbers;
  texts: Texts;
}

/** Typing a number, and the code that was sent to it. */
export function createEnrolment(deps: EnrolmentDeps): Factor['enrolment'] {
  const { clock, countries, factors, formerNumbers, options, random, secretBox, sender, texts } = deps;

  const pendingOf = async ({ id, browser }: Enrollee): Promise<Phone | undefined> =>
    (await factors.find(id, 'pending', browser))[0];
  const presentOf = async (accountId: string): Promise<Phone | undefined> =>
    newest(await factors.find(accountId, 'active'));
  const hashOf = (accountId: string, factorId: string, code: string): string =>
    hashCode(secretBox, ['enrolment', accountId, factorId], code);

  /** A code on its way to a number, as the pending factor keeps it. */
  const order = async (enrollee: Enrollee, factorId: string, number: string, country: string) => {
    const code = makeCode(random);
    const ordered = await sender.order({
      accountId: enrollee.id,
      purpose: 'enrolment',
      number,
      country,
      text: texts.code('enrolment', enrollee, code),
      ...(enrollee.ip ? { ip: enrollee.ip } : {}),
    });
    if (ordered.status === 'refused') return ordered;
    return {
      hash: hashOf(enrollee.id, factorId, code),
      expiresAt: inSeconds(clock.now(), CODE_TTL_SECONDS),
      messageId: ordered.messageId,
    };
  };

  const takeNumber = async (enrollee: Enrollee, typed: string, country: string): Promise<EnrolmentOutcome> => {
    const rules = { countries: await countries.allowed(), landlines: options.landlines };
    const read = readNumber(typed, country, rules);
    if (read.status === 'refused') return read;
    const id = random.token(128);
    const code = await order(enrollee, id, read.number, read.country);
    if ('status' in code) return code;
    const earlier = await pendingOf(enrollee);
    if (earlier) await factors.remove(enrollee.id, earlier._id, 'pending');
    await factors.insertPending(enrollee.id, {
      id,
      browser: enrollee.browser,
      label: read.masked,
      data: {
        number: sealNumber(secretBox, { _id: id, accountId: enrollee.id }, read.number),
        country: read.country,
        masked: read.masked,
        code,
      },
      ttlSeconds: PENDING_TTL_SECONDS,
    });
    return { status: 'continued' };
  };

  const sendAgain = async (enrollee: Enrollee, pending: Phone): Promise<EnrolmentOutcome> => {
    const code = await order(enrollee, pending._id, openNumber(secretBox, pending), pending.data.country);
    if ('status' in code) return code;
    const kept = await factors.update(
      enrollee.id,
      pending._id,
      { state: 'pending', browser: enrollee.browser, expiresAt: { $gt: clock.now() } },
      { $set: { 'data.code': code } },
    );
    return kept ? { status: 'continued' } : REJECTED('not_enrolled');
  };

  /** In one transaction: the new number, the memory of the old one, and the message that tells its holder. */
  const activate = async (enrollee: Enrollee, pending: Phone, hash: string): Promise<EnrolmentOutcome> => {
    const { _id, data } = pending;
    const exclusive = numberIndex(secretBox, openNumber(secretBox, pending));
    const usableFrom = await formerNumbers.usableFrom(enrollee.id, exclusive, await presentOf(enrollee.id));
    const activation = await factors.activate(enrollee.id, _id, {
      where: {
        browser: enrollee.browser,
        'data.code.hash': hash,
        'data.code.expiresAt': { $gt: clock.now() },
      },
      set: { 'data.code': null, ...(usableFrom ? { 'data.usableFrom': usableFrom } : {}) },
      exclusive,
      replaces: 'all',
      async together(unit, replaced) {
        const [old] = (replaced as FactorRecord<SmsData>[]).filter((phone) => phone.exclusive !== exclusive);
        if (old || usableFrom) await formerNumbers.remember(enrollee.id, old, unit);
        if (!old) return;
        await sender.notify(
          {
            accountId: enrollee.id,
            number: openNumber(secretBox, old),
            country: old.data.country,
            text: texts.replaced(enrollee),
          },
          unit,
        );
      },
    });
    if (activation === 'taken') {
      await factors.remove(enrollee.id, _id, 'pending');
      return { status: 'refused', reason: 'taken' };
    }
    if (activation === 'gone') return REJECTED('not_enrolled');
    await countries.noteEnrolled(data.country);
    if (data.code) await sender.used(enrollee.id, data.code.messageId);
    return { status: 'enrolled', factorId: _id, label: data.masked, level: '2fa', amr: ['sms', 'mca'] };
  };

  return {
    announcedAs: 'factor_enrolled',

    async begin(enrollee) {
      const pending = await pendingOf(enrollee);
      if (pending) {
        const { masked, code } = pending.data;
        const shown = await showMessage(deps, enrollee.id, code?.messageId);
        return { view: 'sms/enrol', locals: { stage: 'code', masked, ...shown } };
      }
      const [allowed, present, againAt] = await Promise.all([
        countries.allowed(),
        presentOf(enrollee.id),
        sender.againAt(enrollee.id),
      ]);
      return {
        view: 'sms/enrol',
        locals: {
          stage: 'number',
          countries: countryChoices(enrollee.locale ?? 'en', allowed),
          country: options.homeCountry,
          ...(againAt ? { againAt } : {}),
          ...(present ? { current: present.data.masked } : {}),
        },
      };
    },

    async confirm(enrollee, evidence) {
      const pending = await pendingOf(enrollee);
      if (evidence.number) return takeNumber(enrollee, evidence.number, evidence.country ?? '');
      if (!pending) return REJECTED('not_enrolled');
      if (evidence.restart) {
        await factors.remove(enrollee.id, pending._id, 'pending');
        return { status: 'continued' };
      }
      if (evidence.send) return sendAgain(enrollee, pending);
      const code = readCode(evidence.code);
      if (!code) return REJECTED('malformed');
      const hash = hashOf(enrollee.id, pending._id, code);
      if (pending.data.code?.hash !== hash) return REJECTED('wrong');
      if (pending.data.code.expiresAt <= clock.now()) return REJECTED('expired');
      return activate(enrollee, pending, hash);
    },
  };
}
