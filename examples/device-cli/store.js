// @ts-check
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';

/** @typedef {import('./client.js').StoredAccount} StoredAccount */

/**
 * The accounts of this phone, in one JSON file that its owner alone can read (mode 0600). A real phone keeps its keys where they
 * cannot be taken out.
 */
export class AccountFile {
  #path;

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  /** @returns {Promise<StoredAccount[]>} none while there is no file */
  async read() {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')).accounts;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Adds an account, or takes the place of what was kept of it. @param {StoredAccount} account */
  async put(account) {
    const others = (await this.read()).filter((one) => !isSame(one, account));
    await this.#write([...others, account]);
  }

  /** @param {StoredAccount} account */
  async forget(account) {
    await this.#write((await this.read()).filter((one) => !isSame(one, account)));
  }

  /** A write that is cut off leaves the old file. @param {StoredAccount[]} accounts */
  async #write(accounts) {
    const next = `${this.#path}.${process.pid}`;
    await writeFile(next, `${JSON.stringify({ accounts }, null, 2)}\n`, { mode: 0o600 });
    await chmod(next, 0o600);
    await rename(next, this.#path);
  }
}

/** @param {StoredAccount} a @param {StoredAccount} b */
const isSame = (a, b) => a.key.x === b.key.x && a.key.y === b.key.y;
