/** What both servers have in common, so that only what they do differs. */
export const CLIENT_ID = 'bench';
export const REDIRECT_URI = 'http://127.0.0.1:9/cb';
export const PASSWORD = 'orchard lantern 47 violet';
export const SIGNING_ALGORITHM = 'ES256';

/** Sign-ins under way at the same time while speed is measured. */
export const CONCURRENCY = 4;
/** Sign-ins under way at the same time while memory is measured. */
export const CROWD = 100;

/** The driver and the database share one core; the server under test has the other one to itself. */
export const SERVER_CORE = 0;
export const OTHER_CORE = 1;

/** The servers are told by environment where to listen and what to use. */
export interface ServerEnvironment {
  BENCH_PORT: string;
  BENCH_MONGODB_URI: string;
  BENCH_DATABASE: string;
  /** Profiles are written here. */
  BENCH_FOLDER: string;
}

export function serverEnvironment(env: NodeJS.ProcessEnv = process.env): ServerEnvironment & { port: number } {
  const { BENCH_PORT, BENCH_MONGODB_URI, BENCH_DATABASE, BENCH_FOLDER } = env;
  if (!BENCH_PORT || !BENCH_MONGODB_URI || !BENCH_DATABASE || !BENCH_FOLDER) {
    throw new Error('started by the bench only: npm run bench');
  }
  return { BENCH_PORT, BENCH_MONGODB_URI, BENCH_DATABASE, BENCH_FOLDER, port: Number(BENCH_PORT) };
}

/** As `npm start` and the command's first line set them; the bare library as Node starts it. */
export const NODE_FLAGS = { ours: ['--max-old-space-size=512'], reference: [] } as const;
