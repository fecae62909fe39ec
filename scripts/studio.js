// Opens Prisma Studio on the database of DATABASE_URL, else of the running local system: npm run studio -- --port 5555.
import path from 'node:path';
import { findRunningUrl } from '../dist/database/embedded/server-record.js';
import { homeDirectory } from '../dist/platform/home.js';
import { runPrisma } from './prisma-cli.js';

const home = homeDirectory();
if (process.env.DIRECT_URL || process.env.DATABASE_URL || (await findRunningUrl(home))) {
  const { error, status } = runPrisma(['studio', ...process.argv.slice(2)], 'inherit');
  if (error) throw error;
  process.exitCode = status ?? 1;
} else {
  console.error(`Error: no database runs in ${path.relative('.', home) || '.'}`);
  console.error('Start the local system with npm run dev, set REEFGUIDE_HOME to its directory, or set DATABASE_URL.');
  process.exitCode = 1;
}
