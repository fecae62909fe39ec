import { type ChildProcess, spawn } from 'node:child_process';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createDirectory } from '../../platform/files.js';
import { processStart } from '../../platform/processes.js';
import { type Binaries, executable } from './binaries.js';
import type { DataDirectory } from './data-directory.js';
import { diskFull, EmbeddedPostgresError, errorCode, isDiskFull, USE_ANOTHER_DATABASE } from './errors.js';
import { poll } from './files.js';
import { cannotRun, postgresEnvironment, readData } from './initdb.js';
import { choosePort } from './port.js';
import { isPostgresOf, killPostgresIn, sendSignal } from './processes.js';

const START_MS = 120_000;
const STOP_MS = 60_000;
const ATTEMPTS = 8;
const LOG_BYTES = 10_000_000;

export interface RunningServer {
  pid: number;
  port: number;
  /** False while it starts, or recovers from a crash. */
  ready: boolean;
}

/** What postmaster.pid says, whether or not it is still true. Its lines are documented in Postgres's miscadmin.h. */
export async function readPidFile(data: string): Promise<RunningServer | undefined> {
  const lines = ((await readData(data, 'postmaster.pid')) ?? '').split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number.isInteger(port) ? port : 0, ready: lines[7]?.trim() === 'ready' };
}

/** The server of this data folder; one that is still starting is waited for. undefined when none runs. */
export async function runningServer(data: string): Promise<RunningServer | undefined> {
  const found = await poll(START_MS, async () => {
    const server = await readPidFile(data);
    if (server === undefined || !isPostgresOf(server.pid, data)) return 'none';
    return server.ready ? server : undefined;
  });
  if (found === undefined) throw startTimeout(data);
  return found === 'none' ? undefined : found;
}

export function startTimeout(data: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    'start_timeout',
    `Postgres has been starting on ${data} for ${START_MS / 1000} seconds and does not answer yet.`,
    'After a crash it first replays its log, which may take longer: look into its log file, wait, and try again.',
  );
}

/** Starts a server on data on which none runs. What a dead one left is cleared away. Call it under the lock. */
export async function startServer(options: {
  place: DataDirectory;
  binaries: Binaries;
  logFile: string;
  preferredPorts: readonly number[];
  settings: Readonly<Record<string, string>>;
}): Promise<RunningServer> {
  const { data } = options.place;
  await createDirectory(dirname(options.logFile));
  await rotate(options.logFile);
  for (let attempt = 1; ; attempt++) {
    // Backends outlive a killed server until their query ends, and Postgres refuses to start beside them.
    await killPostgresIn(data);
    // Postgres trusts the pid in this file when any process of its user has it; that nobody runs here was seen above.
    await rm(join(data, 'postmaster.pid'), { force: true });
    const port = await choosePort(attempt === 1 ? options.preferredPorts : []);
    const result = await launch(options, port);
    if (typeof result !== 'string') return result;
    // Taken between the choice and the start, or held by a backend that was not seen.
    const again = /could not bind|could not create any TCP\/IP sockets|pre-existing shared memory/.test(result);
    if (!again || attempt === ATTEMPTS) throw explain(result, data, options.logFile);
  }
}

/** The server once it is ready, or what it logged when it ended instead. */
async function launch(options: Parameters<typeof startServer>[0], port: number): Promise<RunningServer | string> {
  const { place, binaries, logFile } = options;
  const settings: Record<string, string> = {
    max_connections: '200',
    shared_buffers: '128MB',
    fsync: 'on',
    ...options.settings,
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  };
  const program = executable(binaries, 'postgres');
  // Opened here and inherited: so the log is in the home also when Postgres runs as a user that cannot write there.
  const log = await open(logFile, 'a+');
  try {
    const from = (await log.stat()).size;
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    // Detached: a session of its own, so that Ctrl+C at the terminal does not reach it while others still hold it.
    const child = spawn(program, ['-D', place.data, ...args], {
      cwd: place.data,
      detached: true,
      env: postgresEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
      ...place.runAs,
    });
    const ended = await readyOrEnded(child, program, place.data);
    if (ended !== 'ended') return ended;
    const killed = child.signalCode === null ? '' : `\nFATAL: it was ended by ${child.signalCode}`;
    return (await readFrom(log, from)) + killed;
  } finally {
    await log.close();
  }
}

async function readyOrEnded(child: ChildProcess, program: string, data: string): Promise<RunningServer | 'ended'> {
  let failure: unknown;
  child.once('error', (error) => {
    failure = error;
  });
  child.unref();
  const result = await poll<RunningServer | 'ended'>(START_MS, async () => {
    if (failure !== undefined) throw cannotRun(program, failure);
    if (child.exitCode !== null || child.signalCode !== null) return 'ended';
    const server = await readPidFile(data);
    return server?.ready === true && server.pid === child.pid ? server : undefined;
  });
  if (result === undefined) throw startTimeout(data);
  return result;
}

async function readFrom(log: FileHandle, from: number): Promise<string> {
  const length = Math.min((await log.stat()).size - from, 20_000);
  const { buffer } = await log.read({ buffer: Buffer.alloc(length), position: from });
  return buffer.toString('utf8');
}

function explain(output: string, data: string, logFile: string): EmbeddedPostgresError {
  if (isDiskFull(output, data)) return diskFull(data, output);
  const why = output.match(/(?:FATAL|PANIC|error|postgres):\s+(.*)/)?.[1] ?? 'it ended at once';
  if (/Permission denied|has wrong ownership|has invalid permissions|must be owner/.test(output)) {
    return new EmbeddedPostgresError(
      'data_unreadable',
      `Postgres cannot read its database in ${data}: ${why}.`,
      'Give the folder back to the user that made it (mode 0700, reachable through each folder above it), and try again.',
      output,
    );
  }
  const hint = /administrative permissions/.test(output)
    ? 'Use a terminal without administrator rights'
    : 'See the log';
  return new EmbeddedPostgresError(
    'start_failed',
    `Postgres did not start on ${data}: ${why}.`,
    `${hint} (${logFile}), put that right and try again, or ${USE_ANOTHER_DATABASE}.`,
    output,
  );
}

/** The log of the run before stays as postgres.log.1 once it has grown. */
async function rotate(logFile: string): Promise<void> {
  try {
    if ((await stat(logFile)).size > LOG_BYTES) await rename(logFile, `${logFile}.1`);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** A fast shutdown: sessions are ended, what is committed is written. Escalates when that takes too long. */
export async function stopServer(pid: number, data: string, findProgram: () => string): Promise<void> {
  const start = processStart(pid);
  const isGone = () => processStart(pid) !== start || undefined;
  if (process.platform === 'win32') {
    // There are no signals to send to another process on Windows; pg_ctl has its own way.
    const child = spawn(findProgram(), ['stop', '-D', data, '-m', 'fast', '-w'], { env: postgresEnvironment() });
    await new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
    if (await poll(STOP_MS, isGone)) return;
  } else {
    for (const name of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      if (processStart(pid) === start) sendSignal(pid, name);
      if (await poll(name === 'SIGINT' ? STOP_MS : 5000, isGone)) return;
    }
  }
  throw new EmbeddedPostgresError(
    'stop_failed',
    `Postgres (process ${pid}) on ${data} does not stop.`,
    'End that process, and try again.',
  );
}
