import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../src/platform/paths.js';

/** What an example is started with. */
export interface Surroundings {
  issuer: string;
  clientId: string;
  clientSecret: string;
  port: number;
}

export interface Example {
  name: string;
  /** Of the client, beside its redirect URI and secret. */
  client?: Record<string, unknown>;
  /** Path that signing in starts from; what the pages call the link. */
  callback?: string;
  /** Where it lets people come back to after signing out. */
  signedOut?: string;
  /** Why it cannot run here. */
  missing?: string;
  command: readonly string[];
  env: Readonly<Record<string, string>>;
  /** The application protects every page: there is no "Sign in" to press. */
  isGate?: boolean;
  /** Some print nothing when they are ready. */
  isSilent?: boolean;
}

const example = (name: string, file: string): string => join(projectRoot, 'examples', name, file);
const node = (name: string, env: Record<string, string> = {}): Example => ({
  name,
  command: [process.execPath, example(name, 'main.js')],
  env,
});

const SESSION_SECRET = 'a-session-secret-of-the-application-0001';

const PYTHON_SECONDS = 90;

/** Python with what `requirements.txt` asks for: installed already, or fetched once into the cache of the user. */
function authlib(): Example {
  const packages = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'countersign', 'authlib-1.9');
  const works = () =>
    spawnSync('python3', ['-c', 'import authlib, flask, requests'], {
      env: { ...process.env, PYTHONPATH: packages },
    }).status === 0;
  let missing: string | undefined;
  if (!works()) {
    mkdirSync(packages, { recursive: true });
    const args = ['-m', 'pip', 'install', '-q', '--target', packages, '-r', example('authlib', 'requirements.txt')];
    spawnSync('python3', args, { timeout: PYTHON_SECONDS * 1000 });
    if (!works()) missing = 'no Python with Authlib and Flask, and pip could not fetch them';
  }
  return {
    name: 'authlib',
    command: ['python3', example('authlib', 'app.py')],
    env: { PYTHONPATH: packages, SESSION_SECRET },
    ...(missing ? { missing } : {}),
  };
}

/** Apache and its module as Debian has them. */
function apache(): Example {
  const modules = '/usr/lib/apache2/modules';
  const hasModule = existsSync(join(modules, 'mod_auth_openidc.so'));
  const binary = ['/usr/sbin/apache2', '/usr/sbin/httpd'].find((path) => existsSync(path));
  const missing =
    binary && hasModule
      ? {}
      : { missing: 'no Apache with mod_auth_openidc (Debian: apache2-bin, libapache2-mod-auth-openidc)' };
  const folder = join(projectRoot, 'examples/mod_auth_openidc');
  return {
    name: 'mod_auth_openidc',
    ...missing,
    signedOut: '/signed-out.html',
    command: [binary ?? 'apache2', '-f', join(folder, 'httpd.conf'), '-DFOREGROUND'],
    env: { SESSION_SECRET, MODULES: modules, FOLDER: folder, RUN: mkdtempSync(join(tmpdir(), 'countersign-apache-')) },
    isGate: true,
    isSilent: true,
  };
}

/** Every runnable relying application of `examples/`. */
export const EXAMPLES: readonly Example[] = [
  node('openid-client'),
  node('express-openid-connect', { SESSION_SECRET }),
  { ...node('oidc-client-ts'), client: { token_endpoint_auth_method: 'none' } },
  authlib(),
  apache(),
];
