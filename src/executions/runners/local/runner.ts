import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { toMessage } from '../../../contract/errors.js';
import { ChildGroup, type ChildGroupOptions, toExitCode, withStartBarrier } from '../../../platform/child-group.js';
import { readJson, readOrCreate } from '../../../platform/files.js';
import { killRecordedGroups } from '../../../platform/process-groups.js';
import { isAlive, ownIdentity, processIdentity } from '../../../platform/processes.js';
import { createSlots } from '../../../platform/slots.js';
import { toWriteError } from '../../../platform/system-errors.js';
import { gitEnvironment, gitScript } from '../checkout-script.js';
import type { CommandEnd, CommandRequest, CommandRunner } from '../runner.js';
import { type ContainerEngine, containerCall, createEngineFinder } from './container-engine.js';

export interface LocalCommandOptions {
  /** Each command gets a folder below it while it runs. */
  folder: string;
  /** Engines that may be used, the first that answers; empty: commands run on this machine itself. */
  engines: readonly ContainerEngine[];
  /** Where none answers, nothing runs; otherwise commands run on this machine itself then. */
  engineOnly?: boolean;
  /** Of the server: commands get its path and language, and nothing else. */
  env: NodeJS.ProcessEnv;
  /** Between SIGTERM and SIGKILL. */
  killAfterMs?: number;
  /** More wait until one of them has ended. */
  atOnce?: number;
  now(): number;
}

const timedOut = 124;
const stopped = 130;
const couldNotStart = 126;
const inherited = ['PATH', 'LANG', 'LC_ALL', 'TZ'];
const startProblems: Record<string, string> = {
  E2BIG: 'its command and its variables are longer than this machine allows',
  EAGAIN: 'too many processes run on this machine',
  EMFILE: 'this server has too many files open',
  ENFILE: 'too many files are open on this machine',
};
/** Says which process looks after a command. */
const ownerFile = 'owner.json';
const arnOfTasks = 'arn:aws:ecs:local:000000000000:task';

interface Running {
  /** `why` is printed at its end. */
  stop(exitCode: number, why?: string): void;
  ended: Promise<CommandEnd>;
}

/** Ad hoc commands as process groups of this machine, or as containers where an engine answers. */
export async function createLocalCommandRunner(options: LocalCommandOptions): Promise<CommandRunner> {
  const { folder, killAfterMs = 10_000 } = options;
  const slots = createSlots(options.atOnce ?? 200);
  const running = new Map<string, Running>();
  let closing = false;
  const base = Object.fromEntries(inherited.flatMap((name) => (options.env[name] ? [[name, options.env[name]]] : [])));
  const engineOf = createEngineFinder({ engines: options.engines, env: options.env, now: options.now });
  await mkdir(folder, { recursive: true });
  // Servers with folders of their own may share a database: each knows its tasks by their ARNs.
  const place = await readOrCreate(`${folder}.id`, async () => `reefguide-${randomBytes(4).toString('hex')}`);
  const arnPrefix = `${arnOfTasks}/${place}/`;
  const removeContainer = (engine: ContainerEngine, id: string) =>
    new Promise<void>((resolve) => {
      execFile(engine, ['rm', '--force', nameOf(id)], { env: options.env, timeout: 30_000 }, () => resolve());
    });
  const removeOrphan = async (id: string) => {
    const engine = await engineOf();
    if (engine) await removeContainer(engine, id);
  };
  await endOrphans(folder, removeOrphan);
  void engineOf();

  const start = (request: CommandRequest) => {
    const id = request.executionId;
    const own = path.join(folder, id);
    const work = path.join(own, 'workspace');
    const notes: string[] = [];
    const output = outputWith(notes);
    let group: ChildGroup | undefined;
    let cause: number | undefined;
    let giveUp = () => {};
    let signalRunning = () => {};
    const isRunning = new Promise<void>((resolve) => {
      signalRunning = resolve;
    });
    /** Ends whatever runs now; nothing is started after it. */
    const stop = (exitCode: number, why?: string) => {
      if (cause !== undefined) return;
      cause = exitCode;
      if (why !== undefined) notes.push(`stopped: ${why}`);
      giveUp();
      group?.stop(killAfterMs);
    };

    /** Runs one program to its end, its output into that of the command. `onExit` may be called before all output is read. */
    const runProgram = async (
      program: string,
      args: readonly string[],
      { onExit, ...options }: Pick<ChildGroupOptions, 'env' | 'cwd'> & { onExit(): void },
    ): Promise<number> => {
      if (cause !== undefined) return cause;
      group = new ChildGroup({
        ...options,
        ...withStartBarrier(program, args),
        recordDirectory: own,
        output,
        skipDrain: () => closing,
      });
      void group.exited.then(onExit, () => {});
      return toExitCode(await group.ended);
    };

    const inTime = async (what: string, run: (onExit: () => void) => Promise<number>): Promise<number> => {
      const timer = setTimeout(() => {
        stop(timedOut, `${what} ${request.timeoutSeconds} s, the time it was given`);
      }, request.timeoutSeconds * 1000);
      // What was printed may take longer to be read.
      const onExit = () => clearTimeout(timer);
      return run(onExit).finally(onExit);
    };

    const runAll = async (): Promise<number> => {
      try {
        await mkdir(work, { recursive: true });
        await writeFile(path.join(own, ownerFile), JSON.stringify(ownIdentity()));
      } catch (cause) {
        throw toWriteError('its folder', cause);
      }
      const engine = await engineOf();
      if (!engine && options.engineOnly) throw new Error(`${options.engines.join(' or ')} does not answer`);
      if (!engine) {
        const why =
          options.engines.length > 0 ? 'neither docker nor podman answers' : 'no container engine is to be used';
        output.write(`[reefguide] runs on this machine, not in ${request.image.image}: ${why}\n`);
      }
      const { git } = request;
      if (git) {
        const env = { ...base, HOME: own, ...gitEnvironment(git, work) };
        const code = await inTime('checking out took', (onExit) =>
          runProgram('/bin/sh', ['-c', gitScript], { env, cwd: work, onExit }),
        );
        if (code !== 0) return code;
      }
      const directory = git ? path.join('repo', git.path ?? '') : '';
      if (cause !== undefined) return cause;
      signalRunning();
      return inTime('it ran for', async (onExit) => {
        if (engine) return runInContainer(engine, directory, onExit);
        const env = { ...base, HOME: work, REEFGUIDE_EXECUTION_ID: id, ...request.env };
        return runProgram('/bin/sh', ['-c', request.command], { env, cwd: path.join(work, directory), onExit });
      });
    };

    const runInContainer = async (engine: ContainerEngine, directory: string, onExit: () => void): Promise<number> => {
      const call = containerCall({
        name: nameOf(id),
        image: request.image.image,
        command: request.command,
        env: { REEFGUIDE_EXECUTION_ID: id, ...request.env },
        folder: work,
        directory,
      });
      const env = { ...options.env, ...call.env };
      try {
        return await runProgram(engine, call.args, { env, cwd: own, onExit });
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
        notes.push(`could not start: ${startProblem(error)}`);
        return couldNotStart;
      })
      .then(async (code) => {
        await clear(own, [ownerFile]);
        output.end();
        return { exitCode: cause ?? code };
      });
    running.set(id, { stop, ended });
    const release = async () => {
      running.delete(id);
      await clear(own);
    };
    return { output, running: isRunning, ended, release };
  };

  return {
    platform: 'local',
    async start(request) {
      return { taskArn: `${arnPrefix}${request.executionId}`, attached: start(request) };
    },
    async stop(taskArn) {
      running.get(idOf(taskArn))?.stop(stopped);
    },
    owns: (taskArn) => taskArn.startsWith(arnPrefix),
    async existing(taskArns) {
      await endOrphans(folder, removeOrphan);

      const there = await Promise.all(
        taskArns.map(async (arn) => {
          if (running.has(idOf(arn))) return true;
          const owner = await ownerOf(path.join(folder, idOf(arn)));
          return owner !== undefined && owner.pid !== process.pid && isAlive(owner);
        }),
      );
      return new Set(taskArns.filter((_, n) => there[n]));
    },
    define: async () => undefined,
    defined: async (definitions) => new Set(definitions),
    undefine: async () => {},
    async *logs() {},
    async close() {
      closing = true;
      const commands = [...running.values()];
      for (const { stop } of commands) stop(stopped, 'the server that ran it stopped');
      await Promise.all(commands.map(({ ended }) => ended));
    },
  };
}

/** What a command prints, and at its end, in lines of their own, what `notes` say of it then. */
function outputWith(notes: readonly string[]): Transform {
  const lineFeed = 10;
  let last = lineFeed;
  return new Transform({
    highWaterMark: 262_144,
    transform(chunk: Buffer, _encoding, done) {
      last = chunk.at(-1) ?? last;
      done(null, chunk);
    },
    flush(done) {
      const text = notes.map((note) => `[reefguide] ${note}\n`).join('');
      done(null, text === '' || last === lineFeed ? text : `\n${text}`);
    },
  });
}

const idOf = (taskArn: string) => path.basename(taskArn);
const nameOf = (id: string) => `reefguide-${id}`;

/** The process that looks after a command, if its folder says so: commands may put anything there. */
const ownerOf = (own: string) => readJson(path.join(own, ownerFile), processIdentity).catch(() => undefined);

/** Who makes a folder says a moment later whose it is. */
const isNew = async (own: string) => Date.now() - ((await stat(own).catch(() => undefined))?.mtimeMs ?? 0) < 60_000;

/** Ends what a server left that was killed itself. Its executions are found to have no task any more. */
async function endOrphans(folder: string, end: (id: string) => Promise<void>): Promise<void> {
  for (const id of await readdir(folder)) {
    const own = path.join(folder, id);
    const owner = await ownerOf(own);
    if (owner ? isAlive(owner) : await isNew(own)) continue;
    await end(id);
    await clear(own);
  }
}

/** Ends what is noted in a command's folder, and removes it, or all but a few files of it. */
async function clear(own: string, but: readonly string[] = []): Promise<void> {
  killRecordedGroups(own);
  const names = but.length === 0 ? [''] : (await readdir(own).catch(() => [])).filter((name) => !but.includes(name));
  for (const name of names) {
    // What a container wrote may belong to another user: then it stays.
    await rm(path.join(own, name), { recursive: true, force: true }).catch(() => {});
  }
}

function startProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return startProblems[code] ?? toMessage(error);
}
