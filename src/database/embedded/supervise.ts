import { existsSync } from 'node:fs';
import path from 'node:path';
import { toMessage } from '../../contract/errors.js';
import { acquireEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './acquire.js';

const lookEveryMs = 1_000;

/**
 * Holds the Postgres of `home` as holdEmbeddedPostgres does, and starts it again when it has ended without having been
 * asked to: at the same address, unless another program took its port meanwhile, which `log` is told.
 */
export async function superviseEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { home, log = () => {} } = options;
  const first = await acquireEmbeddedPostgres(options);
  let held = first;
  let looking: Promise<void> | undefined;

  const restart = async () => {
    // Without its home there is nothing to start; a new one would be another database.
    if (held.isRunning() || !existsSync(path.join(home, 'postgres'))) return;
    log('Postgres has ended without being asked to, and is started again');
    const next = await acquireEmbeddedPostgres(options);
    await held.release();
    held = next;
    if (held.url !== first.url)
      log(`Postgres runs on port ${held.port} now, not ${first.port}: start this program again`);
  };
  const look = () => {
    looking ??= restart()
      .catch((error: unknown) => log(toMessage(error)))
      .finally(() => {
        looking = undefined;
      });
  };
  const timer = setInterval(look, lookEveryMs).unref();
  return {
    url: first.url,
    port: first.port,
    isRunning: () => held.isRunning(),
    async release() {
      clearInterval(timer);
      await looking;
      await held.release();
    },
  };
}
