import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

const INTERVAL_MICROSECONDS = 500;

/**
 * What the bench asks of a server process: a word when it is ready, an end in order at SIGTERM, and a CPU profile from one
 * SIGUSR2 to the next, so that start and warm-up are not in it.
 */
export function attend(folder: string, stop: () => Promise<void>): void {
  let session: Session | undefined;
  const toggle = async (): Promise<void> => {
    if (session) {
      const { profile } = await session.post('Profiler.stop');
      session.disconnect();
      session = undefined;
      writeFileSync(join(folder, `${process.pid}.cpuprofile`), JSON.stringify(profile));
      console.log('profiled');
      return;
    }
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROSECONDS });
    await session.post('Profiler.start');
    console.log('profiling');
  };
  process.on('SIGUSR2', () => void toggle());
  process.on('SIGTERM', () => void stop().then(() => process.exit(0)));
  console.log('ready');
}
