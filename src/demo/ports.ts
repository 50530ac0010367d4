import { createServer } from 'node:net';
import { AppError } from '../errors.js';

const HOST = '127.0.0.1';

/**
 * Looked at before anything is started, so that a second copy says so at once.
 * @throws AppError CONFIGURATION_INVALID naming the port and what to do.
 */
export async function requireFreePort(port: number, what: string): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(portProblem(error, port, what)));
    probe.listen(port, HOST, () => probe.close(() => resolve()));
  });
}

/** The error of `listen` in words; other errors as they are. */
export function portProblem(error: unknown, port: number, what: string): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new AppError(
      'CONFIGURATION_INVALID',
      `Port ${port} (${what}) is in use. Most likely a copy of the demonstration is running already: use that one, or stop it with Ctrl-C. Otherwise end the program that has the port, or choose another port in config/demo.yaml, wherever ${port} stands.`,
      { cause: error },
    );
  if (code === 'EACCES')
    return new AppError('CONFIGURATION_INVALID', `Port ${port} (${what}) may not be used by this user.`, {
      cause: error,
    });
  return error;
}
