import type { FactorAccount, FactorDeps } from '../../src/factors/contract.js';

export type Texts = ReturnType<typeof createTexts>;

/** What stands in the messages, in the language of the person. */
export function createTexts({
  issuer,
  issuerName,
  translate,
}: Pick<FactorDeps, 'issuer' | 'issuerName' | 'translate'>) {
  const { hostname: host } = new URL(issuer);
  return {
    /** Ends as browsers want it to offer the code on this host alone (WICG, origin-bound one-time codes). */
    code: (purpose: 'sign_in' | 'enrolment', { locale }: FactorAccount, code: string): string =>
      translate(locale, `sms.text.${purpose}`, { code, company: issuerName, host }),
    replaced: ({ locale }: FactorAccount): string => translate(locale, 'sms.text.notice', { company: issuerName }),
  };
}
