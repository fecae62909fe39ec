// Writes a migration from the changes in prisma/schema.prisma: npm run migration -- NAME [PRISMA_DIRECTORY]. Works offline.
import path from 'node:path';
import { createMigration } from '../dist/database/new-migration.js';

const [name = '', directory = 'prisma'] = process.argv.slice(2);
try {
  const file = await createMigration(path.resolve(directory), name);
  if (file) console.log(`Wrote ${path.relative('.', file)}. Read it before you commit it.`);
  else console.log('Nothing to change: the migrations agree with schema.prisma.');
} catch (error) {
  console.error(`Error: ${error.message}`);
  if (error.hint) console.error(error.hint);
  process.exitCode = 1;
}
