import { checkNewPassword } from '../accounts/index.js';
import { type AccountSettings, type Environment, readSecret } from '../config/index.js';
import type { RunningServer } from '../main.js';
import { CommandRefused } from './command.js';

/**
 * Makes the accounts of the configuration that are not there yet; what was changed since stays. Whoever has an address
 * and no password is invited.
 * @throws CommandRefused with every password that is too weak, before any account is made.
 */
export async function createConfiguredAccounts(
  settings: readonly AccountSettings[],
  { app, invite }: Pick<RunningServer, 'app' | 'invite'>,
  env: Environment,
): Promise<void> {
  const missing: (AccountSettings & { password?: string })[] = [];
  for (const account of settings) {
    if (await app.accounts.findByLogin(account.login)) continue;
    const password = account.password ?? (account.password_env ? readSecret(env, account.password_env) : undefined);
    missing.push({ ...account, ...(password ? { password } : {}) });
  }
  const weak = missing.flatMap(({ login, name, email, password }) => {
    if (password === undefined) return [];
    const about = { login, name, secondFactorActive: false, ...(email ? { email } : {}) };
    const problems = checkNewPassword(password, about);
    return problems.length > 0 ? [`the first password of ${login} is refused: ${problems.join(', ')}`] : [];
  });
  if (weak.length > 0) throw new CommandRefused(weak);
  for (const { login, name, email, groups, roles, locale, password } of missing) {
    const created = await app.accounts.create({
      login,
      name,
      groups,
      roles,
      ...(email ? { email } : {}),
      ...(locale ? { locale } : {}),
      ...(password ? { password } : {}),
    });
    // Another node that started at the same time made it.
    if (!created.ok && created.reason === 'login_taken') continue;
    if (!created.ok) throw new CommandRefused([`the account ${login} is refused: ${created.reason}`]);
    await app.audit.record({ type: 'user_created', accountId: created.account.id, actor: { type: 'system' } });
    if (!password && email) await invite(created.account);
  }
}
