import { API_ERRORS } from '../errors.js';
import { CONFIG, CommandRefused, command, LOGIN, OPERATOR } from './command.js';
import { namedAccount } from './named-account.js';
import { withApp } from './with-app.js';

const LONGEST_PASS_HOURS = 72;
const HOUR_SECONDS = 3_600;

const suspend = command({
  name: 'suspend',
  help: 'lifts the second step of somebody who cannot confirm, when no administrator can; owners are told',
  options: {
    config: CONFIG,
    login: LOGIN,
    days: { value: 'DAYS', required: true, help: '1 or 2' },
    reason: { value: 'TEXT', help: 'why; stands in the audit' },
  },
  run: ({ config, login, days, reason }, io) =>
    withApp(config, io, async (app) => {
      const { desk } = app;
      const allowed = desk.suspensionHours.filter((hours) => hours % 24 === 0).map((hours) => String(hours / 24));
      const problems = allowed.includes(days)
        ? []
        : [`--days must be ${allowed.join(' or ') || 'allowed by recoveryDesk.suspensionHours'}`];
      const account = await active(app, login, problems);
      const started = await desk.start(account, { hours: Number(days) * 24, ...(reason ? { reason } : {}) }, OPERATOR);
      if (started.status === 'running')
        throw new CommandRefused([`a suspension runs until ${started.suspension.until.toISOString()} already`]);
      const code = await desk.issueAccessCode(started.suspension.id, OPERATOR);
      io.err(`The second step of ${account.login} is suspended until ${started.suspension.until.toISOString()}.`);
      io.err('This access code lets one browser in, once, beside the password. It is shown only now:');
      if (code.status === 'issued') io.out(code.code);
    }),
});

const accessPass = command({
  name: 'access-pass',
  help: 'issues a pass with which somebody sets their login methods up anew; owners are told',
  options: {
    config: CONFIG,
    login: LOGIN,
    hours: { value: 'HOURS', help: `how long it can be used, 1 to ${LONGEST_PASS_HOURS}; 24 without it` },
  },
  run: ({ config, login, hours = '24' }, io) =>
    withApp(config, io, async (app) => {
      const isGood = /^\d{1,2}$/.test(hours) && Number(hours) >= 1 && Number(hours) <= LONGEST_PASS_HOURS;
      const problems = isGood ? [] : [`--hours must be a whole number from 1 to ${LONGEST_PASS_HOURS}`];
      const account = await active(app, login, problems);
      const { pass, accessPass: issued } = await app.desk.issueAccessPass(
        account,
        Number(hours) * HOUR_SECONDS,
        OPERATOR,
      );
      io.err(`The pass of ${account.login} works once, until ${issued.expiresAt.toISOString()}. It is shown only now:`);
      io.out(pass);
    }),
});

/** The account, which must be active. @throws CommandRefused with this and all other problems. */
async function active(app: Parameters<typeof namedAccount>[0], login: string, problems: string[]) {
  const entry = await namedAccount(app, login).catch((error: unknown) => {
    if (!(error instanceof CommandRefused)) throw error;
    problems.push(...error.problems);
  });
  if (entry && !entry.account.active) problems.push(API_ERRORS.ACCOUNT_INACTIVE.title);
  if (!entry || problems.length > 0) throw new CommandRefused(problems);
  return entry.account;
}

export const breakGlassCommands = [suspend, accessPass];
