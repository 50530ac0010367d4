export default async function globalTeardown() {
  await globalThis.testMongoServer?.stop();
}
