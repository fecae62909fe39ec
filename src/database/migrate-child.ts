import { toMessage } from '../contract/errors.js';
// The process that migrateInChild starts: gets the database's URL as its one message, answers with one, and ends.
import { migrate } from './migrations.js';

process.once('message', (url) => {
  migrate(String(url))
    .then(
      (applied) => ({ applied }),
      (error: unknown) => ({ error: toMessage(error) }),
    )
    .then((answer) => process.send?.(answer, () => process.exit(0)));
});
