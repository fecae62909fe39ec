import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, open, readdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Binaries, executable } from './binaries.js';
import type { DataDirectory } from './data-directory.js';
import { diskFull, EmbeddedPostgresError, errorCode, isDiskFull, USE_ANOTHER_DATABASE } from './errors.js';
import { type HomePaths, readIfThere, removeFolder, writeAtomically } from './files.js';
import { killPostgresIn } from './processes.js';

const ATTEMPT = 'attempt-';

/** English messages (they are matched), times in UTC, and none of the PG* variables that would change what starts. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot, LC_ALL: 'C', TZ: 'UTC' };
}

/** A program that cannot even be started: for another C library (Alpine), or on a disk mounted noexec, say. */
export function cannotRun(path: string, cause: unknown): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'binaries_unusable',
    `${path} cannot be run here (${errorCode(cause) ?? String(cause)}).`,
    `It needs glibc, a disk that is not mounted noexec and, for root, the right to run as another user. If that cannot be: ${USE_ANOTHER_DATABASE}.`,
    cause,
  );
}

function damaged(data: string, what: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'data_damaged',
    `The database in ${data} is damaged: ${what}.`,
    'Restore the folder from a backup; or, to start with an empty database, delete the home folder that it belongs to.',
  );
}

/**
 * Makes sure that `place.data` is a database of this major version. A new one is made beside and renamed, so that what a
 * crashed attempt left is never taken for a database. Answers the password. Call it under the lock.
 */
export async function prepareDataDirectory(
  paths: HomePaths,
  place: DataDirectory,
  binaries: Binaries,
  options: { sync: boolean; log: (line: string) => void },
): Promise<string> {
  for (const name of await readdir(place.root)) {
    if (!name.startsWith(ATTEMPT)) continue;
    await killPostgresIn(join(place.root, name));
    await removeFolder(join(place.root, name));
  }
  if (existsSync(place.data)) {
    const version = (await readData(place.data, 'PG_VERSION'))?.trim();
    const hasControl = existsSync(join(place.data, 'global', 'pg_control'));
    if (version !== undefined || hasControl) {
      if (version === undefined) throw damaged(place.data, 'PG_VERSION is missing');
      if (version !== binaries.major) {
        throw new EmbeddedPostgresError(
          'data_version',
          `The database in ${place.data} is of Postgres ${version}; this program brings Postgres ${binaries.major}.`,
          `Export it with Postgres ${version} (pg_dump), delete ${paths.home} to start anew, and import it; or ${USE_ANOTHER_DATABASE}.`,
        );
      }
      if (!hasControl) throw damaged(place.data, 'global/pg_control is missing');
      return await readPassword(paths);
    }
    await setAside(place.data, options.log);
  }
  const password = (await readIfThere(paths.password)) ?? randomBytes(24).toString('base64url');
  await makeData(paths, place, binaries, { ...options, password });
  return password;
}

/** A file of the data folder; undefined when it is missing. */
export async function readData(data: string, name: string): Promise<string | undefined> {
  try {
    return await readIfThere(join(data, name));
  } catch (error) {
    throw new EmbeddedPostgresError(
      'data_unreadable',
      `The database in ${data} cannot be read (${errorCode(error) ?? String(error)}).`,
      'It belongs to another user, probably: run as that user, change the owner, or set REEFGUIDE_HOME to another folder.',
      error,
    );
  }
}

export async function readPassword(paths: HomePaths): Promise<string> {
  const password = await readIfThere(paths.password);
  if (password !== undefined && password !== '') return password;
  throw new EmbeddedPostgresError(
    'password_mismatch',
    `There is a database in ${paths.home}, but its password file ${paths.password} is missing.`,
    `Restore that file, or delete ${paths.home} to start with an empty database.`,
  );
}

/** A folder that was never a database is not ours to delete. */
async function setAside(data: string, log: (line: string) => void): Promise<void> {
  try {
    await rmdir(data);
  } catch (error) {
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'ENOTDIR') throw error;
    const aside = `${data}.not-a-database-${randomBytes(4).toString('hex')}`;
    await rename(data, aside);
    log(`${data} is not a database: it is now ${aside}, and a new one is made.`);
  }
}

async function makeData(
  paths: HomePaths,
  place: DataDirectory,
  binaries: Binaries,
  options: { sync: boolean; password: string; log: (line: string) => void },
): Promise<void> {
  options.log(`Making a database in ${place.data}.`);
  const attempt = await mkdtemp(join(place.root, ATTEMPT));
  try {
    const passwordFile = join(attempt, 'password');
    await writeAtomically(passwordFile, options.password, 0o600);
    if (place.runAs !== undefined) {
      await give(passwordFile, place.runAs);
      await give(attempt, place.runAs);
    }
    const made = join(attempt, 'data');
    await initdb(executable(binaries, 'initdb'), attempt, place, [
      `--pgdata=${made}`,
      `--pwfile=${passwordFile}`,
      '--username=postgres',
      '--encoding=UTF8',
      // The same order and case rules on every machine, whatever its C library knows: Postgres's own C.UTF-8.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--auth=scram-sha-256',
      '--no-instructions',
      // Without the sync, a power cut after the rename could leave a folder that looks whole and is not. It costs 0.07 s
      // of 0.5 s (measured on a virtual SSD), so only a database whose owner gave up on fsync goes without.
      ...(options.sync ? [] : ['--no-sync']),
    ]);
    await writeAtomically(paths.password, options.password, 0o600);
    await rename(made, place.data);
    if (options.sync) await syncFolder(place.root);
  } finally {
    await removeFolder(attempt);
  }
}

async function give(path: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  try {
    await chown(path, uid, gid);
  } catch (error) {
    if (errorCode(error) !== 'EPERM' && errorCode(error) !== 'EINVAL') throw error;
    throw new EmbeddedPostgresError(
      'binaries_unusable',
      `Postgres refuses to run as root, and this root cannot give ${path} to another user (${errorCode(error)}).`,
      `Run as another user than root, or ${USE_ANOTHER_DATABASE}.`,
      error,
    );
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

async function initdb(program: string, folder: string, place: DataDirectory, args: string[]): Promise<void> {
  let output = '';
  const exit = await new Promise<number | string>((resolve, reject) => {
    const child = spawn(program, args, {
      // killPostgresIn finds what works below the attempt, should this process die meanwhile.
      cwd: folder,
      env: postgresEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      ...place.runAs,
    });
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.once('error', (error) => reject(cannotRun(program, error)));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  if (exit === 0) return;
  if (isDiskFull(output, place.root)) throw diskFull(place.root, output);
  const last = output.trim().split('\n').slice(-3).join(' ');
  throw new EmbeddedPostgresError(
    'start_failed',
    `Making a database in ${place.data} failed (initdb ended with ${exit}): ${last}`,
    `Put that right and try again, or ${USE_ANOTHER_DATABASE}.`,
    output,
  );
}
