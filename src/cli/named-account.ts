import type { DirectoryEntry } from '../accounts/index.js';
import type { App } from '../app.js';
import { CommandRefused } from './command.js';

/** The account of a login, as administrators see it. @throws CommandRefused when there is none. */
export async function namedAccount({ accounts, directory }: App, login: string): Promise<DirectoryEntry> {
  const account = await accounts.findByLogin(login);
  const entry = account && (await directory.find(account.id));
  if (!entry) throw new CommandRefused(['--login is nobody here']);
  return entry;
}
