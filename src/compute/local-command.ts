import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { readJson } from '../config/home.js';
import { killRecordedGroups, recordGroup, signalGroup } from '../config/process-groups.js';
import { isAlive, ownIdentity, processIdentity } from '../config/processes.js';
import type { CommandEnd, CommandRequest, CommandRunner } from './command.js';
import { type ContainerEngine, containerCall, createEngineFinder } from './container-engine.js';
import { gitEnvironment, gitScript } from './git-script.js';

export interface LocalCommandOptions {
  /** Each command gets a folder below it while it runs. */
  folder: string;
  /** Engines that may be used, the first that answers; empty: commands run on this machine itself. */
  engines: readonly ContainerEngine[];
  /** Of the server: commands get its path and language, and nothing else. */
  env: NodeJS.ProcessEnv;
  /** Between SIGTERM and SIGKILL. */
  killAfterMs?: number;
  /** More wait until one of them has ended. */
  atOnce?: number;
  now(): number;
}

/** How long what is left of the output may take to arrive once every process has been killed. */
const drainMs = 1_000;
const timedOut = 124;
const stopped = 130;
const couldNotStart = 126;
const inherited = ['PATH', 'LANG', 'LC_ALL', 'TZ'];
const arnPrefix = 'arn:aws:ecs:local:000000000000:task/reefguide/';

interface Running {
  stop(exitCode: number): void;
  ended: Promise<CommandEnd>;
}

/** Ad hoc commands as process groups of this machine, or as containers where an engine answers. */
export async function createLocalCommandRunner(options: LocalCommandOptions): Promise<CommandRunner> {
  const { folder, killAfterMs = 10_000 } = options;
  const slots = createSlots(options.atOnce ?? 200);
  const running = new Map<string, Running>();
  const base = Object.fromEntries(inherited.flatMap((name) => (options.env[name] ? [[name, options.env[name]]] : [])));
  const engineOf = createEngineFinder({ engines: options.engines, env: options.env, now: options.now });
  await mkdir(folder, { recursive: true });
  const removeContainer = (engine: ContainerEngine, id: string) =>
    new Promise<void>((resolve) => {
      execFile(engine, ['rm', '--force', nameOf(id)], { env: options.env, timeout: 30_000 }, () => resolve());
    });
  await endOrphans(folder, async (id) => {
    const engine = await engineOf();
    if (engine) await removeContainer(engine, id);
  });
  void engineOf();

  const start = (request: CommandRequest) => {
    const id = request.executionId;
    const own = path.join(folder, id);
    const work = path.join(own, 'work');
    const output = new PassThrough({ highWaterMark: 262_144 });
    let child: ChildProcess | undefined;
    let cause: number | undefined;
    let killTimer: NodeJS.Timeout | undefined;
    let giveUp = () => {};
    let signalRunning = () => {};
    const isRunning = new Promise<void>((resolve) => {
      signalRunning = resolve;
    });
    const kill = (signal: NodeJS.Signals) => {
      if (child?.pid !== undefined) signalGroup(child.pid, signal);
    };
    /** Ends whatever runs now; nothing is started after it. */
    const stop = (exitCode: number) => {
      if (cause !== undefined) return;
      cause = exitCode;
      giveUp();
      kill('SIGTERM');
      killTimer = setTimeout(() => kill('SIGKILL'), killAfterMs);
    };

    /** Runs one program in a process group of its own to its end, its output into that of the command. */
    const runProgram = async (program: string, args: string[], env: NodeJS.ProcessEnv, cwd: string) => {
      if (cause !== undefined) return cause;
      const started = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
      child = started;
      const forget = started.pid === undefined ? () => {} : recordGroup(own, started.pid);
      started.stdout.pipe(output, { end: false });
      const arrived = finished(started.stdout).catch(() => {});
      const code = await new Promise<number>((resolve) => {
        started.once('error', () => resolve(couldNotStart));
        started.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
      });
      // After a SIGTERM the others of the group may take their time, too.
      if (cause !== undefined) await Promise.race([arrived, after(killAfterMs)]);
      kill('SIGKILL');
      await Promise.race([arrived, after(drainMs)]);
      started.stdout.unpipe(output).destroy();
      child = undefined;
      forget();
      return code;
    };

    const runAll = async (): Promise<number> => {
      await mkdir(work, { recursive: true });
      await writeFile(path.join(own, 'owner.json'), JSON.stringify(ownIdentity()));
      const engine = await engineOf();
      if (!engine) {
        const why =
          options.engines.length > 0 ? 'neither docker nor podman answers' : 'no container engine is to be used';
        output.write(`[reefguide] runs on this machine, not in ${request.image.image}: ${why}\n`);
      }
      const { git } = request;
      if (git) {
        const env = { ...base, HOME: own, ...gitEnvironment(git, work) };
        const code = await runProgram('/bin/sh', ['-c', gitScript], env, work);
        if (code !== 0) return code;
      }
      const directory = git ? path.join('repo', git.path ?? '') : '';
      if (cause !== undefined) return cause;
      signalRunning();
      const timer = setTimeout(() => {
        output.write(`[reefguide] stopped: it ran for ${request.timeoutSeconds} s, the time it was given\n`);
        stop(timedOut);
      }, request.timeoutSeconds * 1000);
      try {
        if (engine) return await runInContainer(engine, directory);
        const env = { ...base, HOME: work, REEFGUIDE_EXECUTION_ID: id, ...request.env };
        const args = ['-c', 'exec 2>&1; exec /bin/sh -c "$1"', 'sh', request.command];
        return await runProgram('/bin/sh', args, env, path.join(work, directory));
      } finally {
        clearTimeout(timer);
      }
    };

    const runInContainer = async (engine: ContainerEngine, directory: string): Promise<number> => {
      const call = containerCall({
        name: nameOf(id),
        image: request.image.image,
        command: request.command,
        env: { REEFGUIDE_EXECUTION_ID: id, ...request.env },
        folder: work,
        directory,
      });
      const merged = ['-c', 'exec 2>&1; exec "$@"', 'sh', engine, ...call.args];
      try {
        return await runProgram('/bin/sh', merged, { ...options.env, ...call.env }, own);
      } finally {
        await removeContainer(engine, id);
      }
    };

    const inTurn = async (): Promise<number> => {
      const release = await slots.take((leave) => {
        giveUp = leave;
      });
      if (!release) return stopped;
      return runAll().finally(release);
    };

    const ended = inTurn()
      .catch((error: unknown) => {
        output.write(`[reefguide] could not start: ${error instanceof Error ? error.message : String(error)}\n`);
        return couldNotStart;
      })
      .then(async (code) => {
        clearTimeout(killTimer);
        killRecordedGroups(own);
        // What a container wrote may belong to another user: then it stays.
        await rm(own, { recursive: true, force: true }).catch(() => {});
        running.delete(id);
        output.end();
        return { exitCode: cause ?? code };
      });
    running.set(id, { stop, ended });
    return { output, running: isRunning, ended };
  };

  return {
    platform: 'local',
    async start(request) {
      return { taskArn: `${arnPrefix}${request.executionId}`, attached: start(request) };
    },
    async stop(taskArn) {
      running.get(idOf(taskArn))?.stop(stopped);
    },
    async existing(taskArns) {
      const there = await Promise.all(
        taskArns.map(async (arn) => {
          if (running.has(idOf(arn))) return true;
          const owner = processIdentity.safeParse(await readJson(path.join(folder, idOf(arn), 'owner.json')));
          return owner.success && owner.data.pid !== process.pid && isAlive(owner.data);
        }),
      );
      return new Set(taskArns.filter((_, n) => there[n]));
    },
    define: async () => undefined,
    defined: async (definitions) => new Set(definitions),
    undefine: async () => {},
    async *logs() {},
    async close() {
      const commands = [...running.values()];
      for (const { stop } of commands) stop(stopped);
      await Promise.all(commands.map(({ ended }) => ended));
    },
  };
}

/** Lets so many run; who waits may leave. */
function createSlots(count: number) {
  let free = count;
  const waiting = new Set<(release: (() => void) | undefined) => void>();
  const release = () => {
    const [next] = waiting;
    if (!next) free += 1;
    else {
      waiting.delete(next);
      next(release);
    }
  };
  return {
    /** Resolves with the way to give the slot back, or with undefined after `leave` was called while it waited. */
    async take(onWait: (leave: () => void) => void): Promise<(() => void) | undefined> {
      if (free > 0) {
        free -= 1;
        return release;
      }
      return new Promise((resolve) => {
        waiting.add(resolve);
        onWait(() => {
          if (waiting.delete(resolve)) resolve(undefined);
        });
      });
    },
  };
}

const idOf = (taskArn: string) => path.basename(taskArn);
const nameOf = (id: string) => `reefguide-${id}`;

const after = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms).unref();
  });

/** Ends what a server left that was killed itself. Its executions are found to have no task any more. */
async function endOrphans(folder: string, end: (id: string) => Promise<void>): Promise<void> {
  for (const id of await readdir(folder)) {
    const own = path.join(folder, id);
    const owner = processIdentity.safeParse(await readJson(path.join(own, 'owner.json')));
    if (owner.success && isAlive(owner.data)) continue;
    killRecordedGroups(own);
    await end(id);
    await rm(own, { recursive: true, force: true }).catch(() => {});
  }
}
