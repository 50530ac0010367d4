import { rm } from 'node:fs/promises';

export default async function globalTeardown() {
  if (!globalThis.testMongo) return;
  const { mongo, dataPath } = globalThis.testMongo;
  await mongo.stop();
  await rm(dataPath, { recursive: true, force: true });
}
