import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createDirectory } from '../../platform/files.js';
import { processStart } from '../../platform/processes.js';
import { ignore } from '../../platform/system-errors.js';
import { type Binaries, getExecutable } from './binaries.js';
import type { DataDirectory } from './data-directory.js';
import { EmbeddedPostgresError, isDiskFull, toDiskFullError, useAnotherDatabase } from './errors.js';
import { readDataFile, toCannotRunError, toPostgresEnvironment } from './initdb.js';
import { poll } from './poll.js';
import { choosePort } from './port.js';
import { isPostgresOf, killPostgresIn, sendSignal } from './processes.js';

const maxStartMs = 120_000;
const maxStopMs = 60_000;
const maxQuickStopMs = 5_000;
const maxAttempts = 8;
const maxLogBytes = 10_000_000;
const maxOutputBytes = 20_000;

export interface RunningServer {
  pid: number;
  port: number;
  /** False during the start, and during the recovery from a crash. */
  ready: boolean;
}

interface StartOptions {
  directory: DataDirectory;
  binaries: Binaries;
  logFile: string;
  preferredPorts: readonly number[];
  settings: Readonly<Record<string, string>>;
}

/** Reads postmaster.pid, possibly out of date: line 1 is the pid, line 4 the port, line 8 the state, e.g. `ready`. */
export async function readPidFile(data: string): Promise<RunningServer | undefined> {
  const lines = ((await readDataFile(data, 'postmaster.pid')) ?? '').split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number.isInteger(port) ? port : 0, ready: lines[7]?.trim() === 'ready' };
}

/** Returns the running server of `data`, and waits for a starting server; undefined without a server. */
export async function findRunningServer(data: string): Promise<RunningServer | undefined> {
  const result = await poll(maxStartMs, async () => {
    const server = await readPidFile(data);
    if (server === undefined || !isPostgresOf(server.pid, data)) return 'none';
    return server.ready ? server : undefined;
  });
  if (result === undefined) throw toStartTimeout(data);
  return result === 'none' ? undefined : result;
}

function toStartTimeout(data: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'start_timeout',
    `Postgres has been starting on ${data} for ${maxStartMs / 1000} seconds and does not answer yet`,
    'After a crash Postgres first replays its log, which may take longer: read its log file, wait, and try again.',
  );
}

/** Starts a server on data without a server, after clearing away the rest of a dead server. Call under the lock. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { data } = options.directory;
  await createDirectory(dirname(options.logFile));
  await rotateLog(options.logFile);
  for (let attempt = 1; ; attempt += 1) {
    // Backends outlive a killed server until the end of a query, and Postgres refuses to start beside a backend.
    await killPostgresIn(data);
    // Postgres would trust the pid in the file when any process of the same user has the pid.
    await rm(join(data, 'postmaster.pid'), { force: true });
    const port = await choosePort(attempt === 1 ? options.preferredPorts : []);
    const result = await launch(options, port);
    if (typeof result !== 'string') return result;
    // Retry when another program took the port meanwhile, or when a backend still holds shared memory.
    const isTransient = /could not bind|could not create any TCP\/IP sockets|pre-existing shared memory/.test(result);
    if (!isTransient || attempt === maxAttempts) throw toStartError(result, data, options.logFile);
  }
}

/** Returns the server when ready, or the output of a server that ended. */
async function launch(options: StartOptions, port: number): Promise<RunningServer | string> {
  const { directory, binaries, logFile } = options;
  const program = getExecutable(binaries, 'postgres');
  // The server inherits the open file, because its user may be unable to write to the home.
  const log = await open(logFile, 'a+');
  try {
    const { size } = await log.stat();
    // Detached, because Ctrl+C at the terminal must not end a server that several processes use.
    const child = spawn(program, ['-D', directory.data, ...toArguments(options.settings, port)], {
      cwd: directory.data,
      detached: true,
      env: toPostgresEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
      ...directory.runAs,
    });
    const result = await waitForStart(child, program, directory.data);
    if (result !== 'ended') return result;
    const signal = child.signalCode === null ? '' : `\nFATAL: Postgres was ended by ${child.signalCode}`;
    return (await readOutput(log, size)) + signal;
  } finally {
    await log.close();
  }
}

/** Returns settings as arguments, for example `-c`, `fsync=off`. */
function toArguments(settings: StartOptions['settings'], port: number): string[] {
  const all: Record<string, string> = {
    max_connections: '200',
    shared_buffers: '128MB',
    fsync: 'on',
    ...settings,
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function waitForStart(child: ChildProcess, program: string, data: string): Promise<RunningServer | 'ended'> {
  let failure: unknown;
  child.once('error', (error) => {
    failure = error;
  });
  child.unref();
  const result = await poll<RunningServer | 'ended'>(maxStartMs, async () => {
    if (failure !== undefined) throw toCannotRunError(program, failure);
    if (child.exitCode !== null || child.signalCode !== null) return 'ended';
    const server = await readPidFile(data);
    return server?.ready === true && server.pid === child.pid ? server : undefined;
  });
  if (result === undefined) throw toStartTimeout(data);
  return result;
}

async function readOutput(log: FileHandle, position: number): Promise<string> {
  const length = Math.min((await log.stat()).size - position, maxOutputBytes);
  const { buffer } = await log.read({ buffer: Buffer.alloc(length), position });
  return buffer.toString('utf8');
}

function toStartError(output: string, data: string, logFile: string): EmbeddedPostgresError {
  if (isDiskFull(output, data)) return toDiskFullError(data, output);
  const reason = output.match(/(?:FATAL|PANIC|error|postgres):\s+(.*)/)?.[1] ?? 'Postgres ended at once';
  if (/Permission denied|has wrong ownership|has invalid permissions|must be owner/.test(output)) {
    return new EmbeddedPostgresError(
      'data_unreadable',
      `Postgres cannot read its database in ${data}: ${reason}`,
      'Give the directory back to the user who created it (mode 0700, each directory above it enterable), and try again.',
      output,
    );
  }
  const hint = /administrative permissions/.test(output)
    ? 'Use a terminal without administrator rights'
    : 'Read the log';
  return new EmbeddedPostgresError(
    'start_failed',
    `Postgres did not start on ${data}: ${reason}`,
    `${hint} (${logFile}), fix the cause and try again, or ${useAnotherDatabase}.`,
    output,
  );
}

/** Renames a log of more than 10 MB to `postgres.log.1`. */
async function rotateLog(logFile: string): Promise<void> {
  const stats = await stat(logFile).catch(ignore('ENOENT'));
  if (stats && stats.size > maxLogBytes) await rename(logFile, `${logFile}.1`).catch(ignore('ENOENT'));
}

/** Stops a server by a fast shutdown: ends sessions, writes committed data. Escalates to SIGQUIT and SIGKILL. */
export async function stopServer(pid: number, data: string, findPgCtl: () => string): Promise<void> {
  const start = processStart(pid);
  const isGone = () => processStart(pid) !== start || undefined;
  if (process.platform === 'win32') {
    // Windows has no signals between processes; pg_ctl has a way of its own.
    const child = spawn(findPgCtl(), ['stop', '-D', data, '-m', 'fast', '-w'], { env: toPostgresEnvironment() });
    await new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
    if (await poll(maxStopMs, isGone)) return;
  } else {
    for (const name of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      if (processStart(pid) === start) sendSignal(pid, name);
      if (await poll(name === 'SIGINT' ? maxStopMs : maxQuickStopMs, isGone)) return;
    }
  }
  throw new EmbeddedPostgresError(
    'stop_failed',
    `Postgres (process ${pid}) on ${data} does not stop`,
    'End that process, and try again.',
  );
}
