// Runs in the process that `migrateInChild` forks: receives the URL of the database, answers with one message, and ends.
import { toMessage } from '../contract/errors.js';
import { migrate } from './migrations.js';

process.once('message', (url) => {
  migrate(String(url))
    .then(
      (applied) => ({ applied }),
      (error: unknown) => ({ error: toMessage(error) }),
    )
    .then((answer) => process.send?.(answer, () => process.exit(0)));
});
