import { z } from 'zod';
import { LEVELS } from '../../../policy/levels.js';
import { type Route, route } from '../route.js';
import { instant, level, shown } from '../schemas/fields.js';
import type { ApiServices } from '../services.js';
import { createSignInDays } from '../sign-in-days.js';

const DAYS = 14;

const count = z.int().min(0);
const coverageSchema = z
  .strictObject({
    at: instant,
    accounts: z.strictObject({
      active: count,
      deactivated: count,
      covered: count.meta({ description: 'Active ones with a second factor that is enough by itself.' }),
    }),
    byLevel: z
      .array(z.strictObject({ level, accounts: count }))
      .meta({ description: 'Active accounts by the highest level they reach.' }),
    byMethod: z.array(z.strictObject({ method: z.string(), accounts: count })),
    signIns: z
      .array(z.strictObject({ day: z.iso.date(), total: count, byMethod: z.record(z.string(), count) }))
      .meta({ description: `The last ${DAYS} days in UTC, today last; \`none\` is a password alone.` }),
    isFirstEnrolmentWeak: z.boolean().meta({
      description:
        'A password alone is enough to set up the first login method: whoever knows it first, owns the account.',
    }),
  })
  .meta({ id: 'CoverageReport' });

/** How far the second step is set up, and what it is done with. */
export function reportRoutes({ directory, database, audit, clock, engine, firstEnrolment }: ApiServices): Route[] {
  const methods = engine.enrollable().map(({ id }) => id);
  const signInDays = createSignInDays({ database, clock, audit, methods });

  const counted = async () => {
    const byLevel = async (active: boolean) =>
      Promise.all(LEVELS.map(async (one) => ({ level: one, accounts: await directory.count({ active, level: one }) })));
    const covered = async () =>
      (await Promise.all(LEVELS.map((one) => directory.count({ active: true, level: one, covered: true })))).reduce(
        sum,
        0,
      );
    const byMethod = async () =>
      Promise.all(
        methods.map(async (method) => ({ method, accounts: await directory.count({ active: true, method }) })),
      );
    const [active, deactivated, ofCovered, ofMethods] = await Promise.all([
      byLevel(true),
      byLevel(false),
      covered(),
      byMethod(),
    ]);
    return { active, deactivated, covered: ofCovered, byMethod: ofMethods };
  };

  return [
    route({
      id: 'getCoverage',
      method: 'GET',
      path: '/reports/coverage',
      tag: 'Reports',
      summary: 'Who is covered, by what, and how people sign in',
      scope: 'reports:read',
      scripts: true,
      responses: { 200: { description: 'Counted now.', schema: coverageSchema } },
      async handle() {
        const [{ active, deactivated, covered, byMethod }, signIns] = await Promise.all([counted(), signInDays(DAYS)]);
        const total = (levels: typeof active): number => levels.map(({ accounts }) => accounts).reduce(sum, 0);
        return {
          status: 200,
          body: {
            at: shown(clock.now()),
            accounts: { active: total(active), deactivated: total(deactivated), covered },
            byLevel: active,
            byMethod,
            signIns,
            isFirstEnrolmentWeak: firstEnrolment === 'password',
          },
        };
      },
    }),
  ];
}

const sum = (a: number, b: number): number => a + b;
