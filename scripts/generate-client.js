// Writes the Prisma client into src/database/generated when the schema is newer than the client.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runPrisma } from './prisma-cli.js';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export function generateClient() {
  const schema = path.join(root, 'prisma/schema.prisma');
  const client = path.join(root, 'src/database/generated/client.ts');
  if (existsSync(client) && statSync(client).mtimeMs > statSync(schema).mtimeMs) return;
  const { error, status, stderr } = runPrisma(['generate'], ['ignore', 'ignore', 'pipe']);
  if (status !== 0) throw error ?? new Error(`prisma generate ended with exit code ${status}:\n${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generateClient();
