import { Console } from 'node:console';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runCommand } from '@oclif/test';
import type { Finished } from '../program.js';

const root = new URL('../../../', import.meta.url);

/**
 * Loads the modules that the commands load in parallel, one after another, because Jest fails at times ("request for … is
 * not in cache") when parallel imports share a module for the first time.
 */
async function loadModules(): Promise<void> {
  for (const directory of ['api', 'command', 'executions', 'jobs', 'output', 'playbooks'])
    for (const file of await readdir(new URL(`dist/cli/${directory}`, root)))
      await import(new URL(`dist/cli/${directory}/${file}`, root).href);
}
let loaded: Promise<void> | undefined;

/** Runs a built command in this process, much faster than a process of its own. `env` replaces variables of this process. */
export async function runInProcess(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  loaded ??= loadModules();
  await loaded;
  const saved = { env: { ...process.env }, console: globalThis.console };
  Object.assign(process.env, { NO_COLOR: '1', ...env });
  // oclif prints through the console, which Jest replaces by a console that adds the position of the call.
  globalThis.console = new Console(process.stdout, process.stderr);
  try {
    const { stdout, stderr, error } = await runCommand(args.map(quote), { root: fileURLToPath(root) });
    const code = error ? (error.oclif?.exit ?? 1) : Number(process.exitCode ?? 0);
    return { code, stdout, stderr };
  } finally {
    globalThis.console = saved.console;
    process.exitCode = undefined;
    for (const name of Object.keys(process.env)) if (!(name in saved.env)) delete process.env[name];
    Object.assign(process.env, saved.env);
  }
}

/** Quotes an argument with spaces, because `runCommand` joins the arguments and splits them at spaces. */
const quote = (argument: string) => (/\s/.test(argument) ? `"${argument}"` : argument);
