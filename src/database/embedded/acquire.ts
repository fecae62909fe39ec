import { existsSync, realpathSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createDirectory } from '../../platform/files.js';
import { identify, isAlive, type ProcessIdentity } from '../../platform/processes.js';
import { findInstalledBinaries, getExecutable } from './binaries.js';
import { type DataDirectory, findBinaries, findDataDirectory } from './data-directory.js';
import { ensureDatabase } from './ensure-database.js';
import { EmbeddedPostgresError, fromSystemError, useAnotherDatabase } from './errors.js';
import { addHolder, countHolders } from './holders.js';
import { prepareDataDirectory, readPassword } from './initdb.js';
import { withLock } from './lock.js';
import { type HomePaths, toHomePaths } from './paths.js';
import { toPreferredPort } from './port.js';
import { findRunningServer, readPidFile, startServer, stopServer } from './server.js';
import { readServerRecord, recordStart, recordStop, toConnectionUrl } from './server-record.js';

/** Hold on the Postgres of a home. */
export interface EmbeddedPostgres {
  /** For example `postgresql://postgres:<password>@127.0.0.1:21785/reefguide`. */
  readonly url: string;
  readonly port: number;
  /** Returns false after the server has ended. */
  isRunning(): boolean;
  /** Releases the hold; the last release stops the server. Close connections first, because a stop ends connections. */
  release(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** REEFGUIDE_HOME; created when missing. */
  home: string;
  /** Receives a line for each slow or surprising step. */
  log?: (line: string) => void;
  /** Postgres settings by name, for example `{ fsync: 'off' }`. A running server ignores the settings. */
  settings?: Record<string, string>;
}

type Settled = Required<EmbeddedPostgresOptions>;

const maxAttempts = 3;
const noLog = () => {};

/**
 * Starts the Postgres 17 of `home`, or joins a running server, and returns a hold. The server belongs to no process,
 * and stops when the last live process has released its last hold. Holds of dead processes do not count. A killed
 * process leaves the server running for the next caller to join. A killed server stays down until the next call; see
 * `superviseEmbeddedPostgres`.
 * Throws EmbeddedPostgresError. Registers no signal handlers: the caller must release the hold.
 */
export async function acquireEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { home, log = noLog, settings = {} } = options;
  try {
    const paths = await openHome(home);
    return await withLock(paths.lock, log, async () => {
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const hold = await joinOrStart(paths, { home, log, settings });
        if (hold !== 'ended') return hold;
      }
      throw new EmbeddedPostgresError(
        'start_failed',
        `Postgres ended right after its start, ${maxAttempts} times (home ${paths.home})`,
        `Read its log (${paths.log}): the system may be killing Postgres for lack of memory. Or ${useAnotherDatabase}.`,
      );
    });
  } catch (error) {
    throw fromSystemError(error, resolve(home));
  }
}

async function openHome(home: string): Promise<HomePaths> {
  await createDirectory(home);
  const paths = toHomePaths(realpathSync(home));
  const isNew = !existsSync(paths.postgres);
  await createDirectory(paths.postgres);
  // The user that Postgres runs as must reach the data whatever the umask of root is. The data have mode 0700.
  if (isNew && process.getuid?.() === 0) await chmod(paths.postgres, 0o755);
  return paths;
}

/** Returns a hold on the running or started server; `ended` when the server died or was stopped by hand meanwhile. */
async function joinOrStart(paths: HomePaths, options: Settled): Promise<EmbeddedPostgres | 'ended'> {
  const directory = await findDataDirectory(paths, options.log);
  const running = await findRunningServer(directory.data);
  const { server, password } = running
    ? { server: running, password: await readPassword(paths) }
    : await start(paths, directory, options);
  try {
    const identity = identify(server.pid);
    const isRunning = () => identity !== undefined && isAlive(identity);
    const location = { root: directory.root, passwordFile: paths.password };
    const state = await ensureDatabase(server.port, password, location, isRunning);
    if (identity === undefined || state === 'ended') return 'ended';
    await recordStart(paths, server);
    const holder = await addHolder(paths.holders);
    return new Hold(paths, directory, identity, holder, server.port, toConnectionUrl(server.port, password));
  } catch (error) {
    if ((await countHolders(paths.holders)) === 0) await stop(directory, server.pid);
    throw error;
  }
}

async function start(paths: HomePaths, directory: DataDirectory, { log, settings }: Settled) {
  const binaries = await findBinaries(paths, directory.runAs, log);
  const password = await prepareDataDirectory(paths, directory, { binaries, sync: settings.fsync !== 'off', log });
  const record = await readServerRecord(paths);
  const preferredPorts = [...(record === undefined ? [] : [record.port]), toPreferredPort(paths.home)];
  const server = await startServer({ directory, binaries, logFile: paths.log, preferredPorts, settings });
  return { server, password };
}

async function stop(directory: DataDirectory, pid: number): Promise<void> {
  await stopServer(pid, directory.data, () => getExecutable(findInstalledBinaries(), 'pg_ctl'));
}

class Hold implements EmbeddedPostgres {
  private released: Promise<void> | undefined;

  constructor(
    private readonly paths: HomePaths,
    private readonly directory: DataDirectory,
    private readonly server: ProcessIdentity,
    private readonly holder: string,
    readonly port: number,
    readonly url: string,
  ) {}

  isRunning(): boolean {
    return isAlive(this.server);
  }

  release(): Promise<void> {
    this.released ??= this.releaseOnce();
    return this.released;
  }

  private async releaseOnce(): Promise<void> {
    try {
      // A server without its home runs on deleted files, and no other process can find it.
      if (!existsSync(this.paths.lock)) await this.stopOwnServer();
      else await withLock(this.paths.lock, noLog, () => this.removeHolder());
    } catch (error) {
      throw fromSystemError(error, this.paths.home);
    }
  }

  private async stopOwnServer(): Promise<void> {
    if (this.isRunning()) await stop(this.directory, this.server.pid);
  }

  private async removeHolder(): Promise<void> {
    const { paths, directory } = this;
    const wasReset = !existsSync(this.holder);
    await rm(this.holder, { force: true });
    // A new home in the place of a deleted home has another server.
    if (wasReset && (await readPidFile(directory.data))?.pid !== this.server.pid) await this.stopOwnServer();
    if ((await countHolders(paths.holders)) > 0) return;
    const running = await findRunningServer(directory.data);
    if (running === undefined) return;
    await stop(directory, running.pid);
    await recordStop(paths);
  }
}
