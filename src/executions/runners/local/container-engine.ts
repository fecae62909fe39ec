import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const answersWithinMs = 3_000;
const keptMs = 60_000;

export type ContainerEngine = 'docker' | 'podman';

/** Which engine answers, the first of those that may be used; asked again after a minute. */
export function createEngineFinder(options: {
  engines: readonly ContainerEngine[];
  env: NodeJS.ProcessEnv;
  now(): number;
}): () => Promise<ContainerEngine | undefined> {
  const answers = (engine: ContainerEngine) =>
    // `info` asks the engine itself: a client without one fails.
    run(engine, ['info'], { timeout: answersWithinMs, killSignal: 'SIGKILL', env: options.env }).then(
      () => true,
      () => false,
    );
  const ask = async () => {
    for (const engine of options.engines) if (await answers(engine)) return engine;
    return undefined;
  };
  let known: { engine: Promise<ContainerEngine | undefined>; at: number } | undefined;
  return () => {
    if (!known || options.now() - known.at >= keptMs) known = { engine: ask(), at: options.now() };
    return known.engine;
  };
}

/** A shell that is bash does not let them be set, and ends. The engine may know them by their names: they say nothing to it. */
const unsettable = new Set(['UID', 'EUID', 'PPID', 'SHELLOPTS', 'BASHOPTS', 'BASH_VERSINFO']);

/**
 * What the engine is called with for one command. Values of variables are in neither its arguments nor a file: the engine
 * takes them from its environment, under names that mean nothing to itself, and the shell in the container renames them.
 */
export function containerCall(options: {
  name: string;
  image: string;
  command: string;
  env: Readonly<Record<string, string>>;
  /** Mounted as the working directory's root. */
  folder: string;
  /** Below `/workspace`, where the command runs. */
  directory: string;
}): { args: string[]; env: Record<string, string> } {
  const names = Object.keys(options.env);
  let prefix = 'REEFGUIDE_VALUE_';
  while (names.some((name) => name.startsWith(prefix))) prefix += '_';
  const variables = Object.entries(options.env).map(([name, value], n) => ({
    name,
    value,
    passedAs: unsettable.has(name) ? name : `${prefix}${n}`,
  }));
  const renames = variables.flatMap(({ name, passedAs }) =>
    name === passedAs ? [] : [`export ${name}="$${passedAs}"; unset ${passedAs};`],
  );
  return {
    args: [
      ...['run', '--rm', '--init', '--name', options.name],
      ...['--volume', `${options.folder}:/workspace`, '--workdir', `/workspace/${options.directory}`],
      ...variables.flatMap(({ passedAs }) => ['--env', passedAs]),
      ...['--entrypoint', '/bin/sh', options.image, '-c', `exec 2>&1; ${renames.join(' ')} exec /bin/sh -c "$1"`, 'sh'],
      options.command,
    ],
    env: Object.fromEntries(variables.map(({ passedAs, value }) => [passedAs, value])),
  };
}
