import { rm } from 'node:fs/promises';

export default async function tearDown() {
  const { home, postgres } = globalThis.testDatabase;
  await postgres.release();
  await rm(home, { recursive: true, force: true });
}
