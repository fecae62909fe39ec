// Configures the Prisma CLI, for example `npx prisma studio`. The database is the one of DIRECT_URL or DATABASE_URL, else the
// embedded Postgres while the local system runs. `prisma generate` needs no database.
import { defineConfig } from 'prisma/config';
import { findRunningUrl } from './src/database/embedded/server-record.js';
import { homeDirectory } from './src/platform/home.js';

const { DIRECT_URL, DATABASE_URL } = process.env;
const url = DIRECT_URL || DATABASE_URL || (await findRunningUrl(homeDirectory()));

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url ? { datasource: { url } } : {}),
});
