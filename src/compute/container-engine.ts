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
  const pairs = Object.entries(options.env);
  const variable = (n: number) => `REEFGUIDE_VALUE_${n}`;
  const renames = pairs.map(([name], n) => `export ${name}="$${variable(n)}"; unset ${variable(n)};`).join(' ');
  return {
    args: [
      ...['run', '--rm', '--init', '--name', options.name],
      ...['--volume', `${options.folder}:/workspace`, '--workdir', `/workspace/${options.directory}`],
      ...pairs.flatMap((_, n) => ['--env', variable(n)]),
      ...['--entrypoint', '/bin/sh', options.image, '-c', `exec 2>&1; ${renames} exec /bin/sh -c "$1"`, 'sh'],
      options.command,
    ],
    env: Object.fromEntries(pairs.map(([, value], n) => [variable(n), value])),
  };
}
