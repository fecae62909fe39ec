// Runs in a child process of `migrateInChild`: receives the URL of the database, answers with a message, and ends.
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
