import { app } from '../../../plugins/app/index.js';
import { totp } from '../../../plugins/totp/index.js';
import type { FactorMethod } from '../../../src/factors/contract.js';
import type { Engine, EngineAccount } from '../../../src/factors/index.js';
import { newAccount, origin, type TwoNodes, twoNodes } from '../../factors/two-nodes.js';
import { Phone, toEngine } from './phone.js';

/** @param config of the app. */
export const twoNodesWithApp = (config?: unknown): Promise<TwoNodes> =>
  twoNodes([app as FactorMethod, totp as FactorMethod], ({ id }) => (id === app.id ? config : undefined));

/** The browser of the page. */
export const HERE = { ...origin, browser: 'browser-1' };

/** What the page of the pairing shows. */
export async function pairingPage(engine: Engine, account: EngineAccount, from = HERE) {
  const step = await engine.beginEnrolment(account, 'app', from);
  const { stage, pairHref = '', typedGroups = [], model, triesLeft } = (step?.locals ?? {}) as Record<string, never>;
  const typedCode = (typedGroups as string[]).join('-');
  return { step, stage, code: String(pairHref).split('#')[1] ?? '', typedCode, model, triesLeft };
}

export const typeDigits = (engine: Engine, account: EngineAccount, digits: string, from = HERE) =>
  engine.confirmEnrolment(account, 'app', { digits }, from);

/** A person with a phone that is active. */
export async function personWithPhone({ a, b }: TwoNodes, account = newAccount()) {
  const { code } = await pairingPage(a, account);
  const phone = await Phone.make(toEngine(b));
  const claimed = await phone.pair({ code });
  if (claimed.status !== 200) throw new Error(`not claimed: ${claimed.body.code}`);
  const outcome = await typeDigits(a, account, phone.digits());
  if (outcome.status !== 'enrolled') throw new Error(`not enrolled: ${outcome.status}`);
  return { account, phone };
}
