import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';

const run = promisify(execFile);
const infoTimeoutMs = 3_000;
const removeTimeoutMs = 30_000;
const engineTtlMs = 60_000;

export type ContainerEngine = 'docker' | 'podman';

/** Finds and calls the container engines of the machine. */
export class ContainerEngines {
  private readonly cache: LRUCache<'engine', Promise<ContainerEngine | undefined>>;

  /** Takes the engines in order of preference. */
  constructor(
    private readonly engines: readonly ContainerEngine[],
    private readonly env: NodeJS.ProcessEnv,
    now: () => number,
  ) {
    this.cache = new LRUCache({ max: 1, ttl: engineTtlMs, ttlResolution: 0, perf: { now } });
  }

  /** Returns the first answering engine, or undefined. Asks the engines once a minute at most. */
  find(): Promise<ContainerEngine | undefined> {
    let engine = this.cache.get('engine');
    if (!engine) {
      engine = this.findAnswering();
      this.cache.set('engine', engine);
    }
    return engine;
  }

  /** Removes a container of `startedBy`, else of the answering engine, running or not. Ignores a missing container. */
  async remove(container: string, startedBy?: ContainerEngine): Promise<void> {
    const engine = startedBy ?? (await this.find());
    const options = { env: this.env, timeout: removeTimeoutMs };
    if (engine) await run(engine, ['rm', '--force', container], options).catch(() => {});
  }

  /** Runs `info`, because `info` fails without a running engine, unlike `version`. */
  private async findAnswering(): Promise<ContainerEngine | undefined> {
    const options = { timeout: infoTimeoutMs, killSignal: 'SIGKILL', env: this.env } as const;
    for (const engine of this.engines) {
      const info = await run(engine, ['info'], options).catch(() => undefined);
      if (info) return engine;
    }
    return undefined;
  }
}

/** Read-only variables of bash: setting `UID` ends bash. The engine's client ignores variables of these names. */
const readOnlyInBash = new Set(['UID', 'EUID', 'PPID', 'SHELLOPTS', 'BASHOPTS', 'BASH_VERSINFO']);

interface ContainerRun {
  name: string;
  image: string;
  command: string;
  env: Readonly<Record<string, string>>;
  /** Directory on the machine, mounted as `/workspace`. */
  workspace: string;
  /** Working directory below `/workspace`. */
  directory: string;
}

/**
 * Returns arguments and variables for the engine's client. Values stand in neither arguments nor a file: the client
 * takes the values from the environment, under names without a meaning (`REEFGUIDE_VALUE_0`), and the shell in the
 * container renames the variables.
 */
export function toContainerCall(options: ContainerRun): { args: string[]; env: Record<string, string> } {
  const names = Object.keys(options.env);
  let prefix = 'REEFGUIDE_VALUE_';
  while (names.some((name) => name.startsWith(prefix))) prefix += '_';
  const variables = Object.entries(options.env).map(([name, value], n) => ({
    name,
    value,
    passedAs: readOnlyInBash.has(name) ? name : `${prefix}${n}`,
  }));
  const renames = variables.flatMap(({ name, passedAs }) =>
    name === passedAs ? [] : [`export ${name}="$${passedAs}"; unset ${passedAs};`],
  );
  return {
    args: [
      ...['run', '--rm', '--init', '--name', options.name],
      ...['--volume', `${options.workspace}:/workspace`, '--workdir', `/workspace/${options.directory}`],
      ...variables.flatMap(({ passedAs }) => ['--env', passedAs]),
      ...['--entrypoint', '/bin/sh', options.image, '-c', `exec 2>&1; ${renames.join(' ')} exec /bin/sh -c "$1"`, 'sh'],
      options.command,
    ],
    env: Object.fromEntries(variables.map(({ passedAs, value }) => [passedAs, value])),
  };
}
