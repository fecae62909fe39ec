import { existsSync } from 'node:fs';
import path from 'node:path';
import { toMessage } from '../../contract/errors.js';
import { startRepeating } from '../../platform/repeat.js';
import { acquireEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './acquire.js';

/**
 * Acquires the Postgres of `home` like acquireEmbeddedPostgres, and restarts the server after each unexpected end, for
 * example `kill -9`. The address stays the same unless another program took the port; a log line tells the new port.
 */
export async function superviseEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  return new SupervisedPostgres(options, await acquireEmbeddedPostgres(options));
}

class SupervisedPostgres implements EmbeddedPostgres {
  readonly url: string;
  readonly port: number;
  private readonly log: (line: string) => void;
  private readonly checks: { stop(): Promise<void> };

  constructor(
    private readonly options: EmbeddedPostgresOptions,
    private hold: EmbeddedPostgres,
  ) {
    this.url = hold.url;
    this.port = hold.port;
    this.log = options.log ?? (() => {});
    this.checks = startRepeating({
      run: () => this.restartIfEnded(),
      intervalMs: 1_000,
      onError: (error) => this.log(toMessage(error)),
    });
  }

  isRunning(): boolean {
    return this.hold.isRunning();
  }

  async release(): Promise<void> {
    await this.checks.stop();
    await this.hold.release();
  }

  private async restartIfEnded(): Promise<void> {
    // Does nothing without the home, because a new home would be another database.
    if (this.hold.isRunning() || !existsSync(path.join(this.options.home, 'postgres'))) return;
    this.log('Postgres ended unexpectedly and is started again');
    const next = await acquireEmbeddedPostgres(this.options);
    await this.hold.release();
    this.hold = next;
    if (next.url !== this.url) {
      this.log(`Postgres now runs on port ${next.port} instead of ${this.port}: start this program again`);
    }
  }
}
