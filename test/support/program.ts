import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningProgram {
  child: ChildProcess;
  /** Resolves once the output contains `text`; rejects when the program ends before. */
  prints(text: string): Promise<void>;
  finished: Promise<Finished>;
}

export interface ProgramOptions {
  env: Record<string, string>;
  cwd: string;
  stdin?: string;
}

/** Starts `reefguide` as a user does, without the ReefGuide variables of this process. */
export function startProgram(args: readonly string[], { env, cwd, stdin }: ProgramOptions): RunningProgram {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(REEFGUIDE_|DATABASE_URL|DIRECT_URL|NODE_OPTIONS|JWT_|API_)/.test(name),
    ),
  );
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(stdin);
  let stdout = '';
  let stderr = '';
  const waiting = new Set<{ text: string; resolve(): void }>();
  const check = () => {
    for (const { text, resolve } of waiting) if ((stdout + stderr).includes(text)) resolve();
  };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    check();
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    check();
  });
  const finished = new Promise<Finished>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  return {
    child,
    finished,
    prints: (text) =>
      new Promise((resolve, reject) => {
        waiting.add({ text, resolve });
        check();
        void finished.then(({ code }) =>
          reject(new Error(`ended with ${code} before it printed ${text}:\n${stdout}${stderr}`)),
        );
      }),
  };
}

/** Runs `reefguide` to its end. */
export const runProgram = (args: readonly string[], options: ProgramOptions): Promise<Finished> =>
  startProgram(args, options).finished;

/** Returns a port of loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
