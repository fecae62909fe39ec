import { existsSync, realpathSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { createDirectory } from '../../platform/files.js';
import { identify, isAlive, type ProcessIdentity } from '../../platform/processes.js';
import { executable, installedBinaries } from './binaries.js';
import { type DataDirectory, findBinaries, findDataDirectory } from './data-directory.js';
import { connectionUrl, ensureDatabase } from './ensure-database.js';
import { EmbeddedPostgresError, fromSystemError, USE_ANOTHER_DATABASE } from './errors.js';
import { type HomePaths, homePaths, readJson, writeAtomically } from './files.js';
import { addHolder, countHolders } from './holders.js';
import { prepareDataDirectory, readPassword } from './initdb.js';
import { withLock } from './lock.js';
import { toPreferredPort } from './port.js';
import { type RunningServer, readPidFile, runningServer, startServer, stopServer } from './server.js';

export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './errors.js';

/** A hold on the Postgres of one home. */
export interface EmbeddedPostgres {
  /** `postgresql://postgres:<password>@127.0.0.1:<port>/reefguide` */
  readonly url: string;
  readonly port: number;
  /** False once the server has ended. */
  isRunning(): boolean;
  /** Gives the hold back; the last one stops the server. Close your connections first: a stop ends them. */
  release(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** REEFGUIDE_HOME; made when missing. */
  home: string;
  /** Told what takes long or may surprise, one line a call. */
  log?: (line: string) => void;
  /** Postgres settings by name, over the usual ones. A server that runs already keeps those that it was started with. */
  settings?: Record<string, string>;
}

const ATTEMPTS = 3;

const serverRecord = z.object({ port: z.number().int(), pid: z.number().int().nullable(), startedAt: z.string() });

/**
 * Starts the Postgres 17 of `home`, or joins it when a process of this machine runs it already, and returns a hold on it.
 * The server belongs to no process: it is stopped when the last live process has released its last hold. Holds of processes
 * that died do not count. A process that is killed leaves the server running; the next one joins it. A server that is
 * killed itself stays down until somebody asks for a hold again.
 *
 * Throws EmbeddedPostgresError. Registers no signal handlers: who holds, releases.
 */
export async function acquireEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log = () => {}, settings = {} } = options;
  try {
    const paths = await openHome(options.home);
    return await withLock(paths.lock, log, async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const held = await joinOrStart(paths, log, settings);
        if (held !== 'ended') return held;
      }
      throw new EmbeddedPostgresError(
        'start_failed',
        `Postgres ended ${ATTEMPTS} times as soon as it had started (home ${paths.home}).`,
        `See its log (${paths.log}): the system may be killing it for lack of memory. Or ${USE_ANOTHER_DATABASE}.`,
      );
    });
  } catch (error) {
    throw fromSystemError(error, resolve(options.home));
  }
}

async function openHome(home: string): Promise<HomePaths> {
  await createDirectory(home);
  const paths = homePaths(realpathSync(home));
  const isNew = !existsSync(paths.postgres);
  await createDirectory(paths.postgres);
  // The user that Postgres runs as must get through to the data, whatever root's umask is. They are of mode 0700.
  if (isNew && process.getuid?.() === 0) await chmod(paths.postgres, 0o755);
  return paths;
}

async function joinOrStart(
  paths: HomePaths,
  log: (line: string) => void,
  settings: Record<string, string>,
): Promise<EmbeddedPostgres | 'ended'> {
  const place = await findDataDirectory(paths, log);
  const found = await runningServer(place.data);
  const joined = found && { server: found, password: await readPassword(paths) };
  const { server, password } = joined ?? (await start(paths, place, log, settings));
  try {
    const where = { root: place.root, passwordFile: paths.password };
    const identity = identify(server.pid);
    const isRunning = () => identity !== undefined && isAlive(identity);
    const state = await ensureDatabase(server.port, password, where, isRunning);
    // Killed, or stopped by hand, since it was found.
    if (identity === undefined || state === 'ended') return 'ended';
    const record = await readJson(paths.server, serverRecord);
    if (record?.pid !== server.pid || record.port !== server.port) {
      const startedAt = new Date().toISOString();
      await writeAtomically(paths.server, JSON.stringify({ port: server.port, pid: server.pid, startedAt }));
    }
    return hold(
      paths,
      place,
      identity,
      connectionUrl(server.port, password),
      server.port,
      await addHolder(paths.holders),
    );
  } catch (error) {
    if ((await countHolders(paths.holders)) === 0) await stop(place, server.pid);
    throw error;
  }
}

async function start(
  paths: HomePaths,
  place: DataDirectory,
  log: (line: string) => void,
  settings: Record<string, string>,
): Promise<{ server: RunningServer; password: string }> {
  const binaries = await findBinaries(paths, place.runAs, log);
  const password = await prepareDataDirectory(paths, place, binaries, { sync: settings.fsync !== 'off', log });
  const record = await readJson(paths.server, serverRecord);
  const preferredPorts = [...(record === undefined ? [] : [record.port]), toPreferredPort(paths.home)];
  const server = await startServer({ place, binaries, logFile: paths.log, preferredPorts, settings });
  return { server, password };
}

async function stop(place: DataDirectory, pid: number): Promise<void> {
  await stopServer(pid, place.data, () => executable(installedBinaries(), 'pg_ctl'));
}

function hold(
  paths: HomePaths,
  place: DataDirectory,
  server: ProcessIdentity,
  url: string,
  port: number,
  holder: string,
): EmbeddedPostgres {
  let released: Promise<void> | undefined;
  const release = async () => {
    try {
      if (!existsSync(paths.lock)) {
        // The home was deleted while its server ran. Nobody else can find that server any more.
        if (isAlive(server)) await stop(place, server.pid);
        return;
      }
      await withLock(
        paths.lock,
        () => {},
        async () => {
          const wasReset = !existsSync(holder);
          await rm(holder, { force: true });
          const current = await readPidFile(place.data);
          // A new home in the place of a deleted one has a server of its own; ours still runs on deleted files.
          if (wasReset && current?.pid !== server.pid && isAlive(server)) await stop(place, server.pid);
          if ((await countHolders(paths.holders)) > 0) return;
          const running = await runningServer(place.data);
          if (running === undefined) return;
          await stop(place, running.pid);
          const record = await readJson(paths.server, serverRecord);
          if (record !== undefined) await writeAtomically(paths.server, JSON.stringify({ ...record, pid: null }));
        },
      );
    } catch (error) {
      throw fromSystemError(error, paths.home);
    }
  };
  return {
    url,
    port,
    isRunning: () => isAlive(server),
    release: () => {
      released ??= release();
      return released;
    },
  };
}
