import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Fake of docker and podman. `run` runs the command with sh on this machine, in the mounted directory, with the variables of its
 * flags alone. `rm --force` ends the command. Each call records its arguments and its environment.
 */
const script = `#!/bin/sh
dir=$(dirname "$0")/../state
call=$dir/calls/$(date +%s%N)-$$-\${0##*/}
{ for word in "$@"; do printf '%s\\n' "$word"; done; } > "$call.args.new"
mv "$call.args.new" "$call.args"
case $1 in
info) [ -e "$dir/\${0##*/}-answers" ] || { echo 'Cannot connect to the engine' >&2; exit 1; } ;;
rm) kill -KILL "-$(cat "$dir/containers/$3")" 2>/dev/null; rm -f "$dir/containers/$3" ;;
run)
  env > "$call.env"
  shift
  set_=
  while :; do
    case $1 in
    --rm | --init) shift ;;
    --name) name=$2; shift 2 ;;
    --volume) mount=\${2%%:*}; shift 2 ;;
    --workdir) work=$mount/\${2#/workspace/}; shift 2 ;;
    --env) if eval "[ \\"\\\${$2+set}\\" ]"; then set_="$set_ $2=\\"\\$$2\\""; fi; shift 2 ;;
    --entrypoint) entry=$2; shift 2 ;;
    missing:*) echo 'no such image' >&2; exit 125 ;;
    *) shift; break ;;
    esac
  done
  cd "$work" || exit 125
  mkdir -p "$dir/containers"
  eval "exec_() { exec env -i PATH=/usr/bin:/bin HOME=/container $set_ setsid \${CONTAINER_SHELL:-$entry} \\"\\$@\\"; }"
  ( exec_ "$@" ) &
  child=$!
  echo "$child" > "$dir/containers/$name"
  trap 'kill -TERM "$child"' TERM
  wait "$child"; code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  exit "$code" ;;
esac
`;

export interface FakeContainerEngine {
  /** Directory for the beginning of PATH. */
  bin: string;
  /** Sets whether the engine behind the client runs. */
  setRunning(engine: 'docker' | 'podman', isRunning: boolean): Promise<void>;
  /** Returns the arguments of each call in order, for example `['docker', 'info']`. */
  calls(verb?: string): Promise<string[][]>;
  /** Returns the environments of the calls of `run`, as text. */
  environments(): Promise<string[]>;
  containers(): Promise<string[]>;
}

export async function createFakeContainerEngine(directory: string): Promise<FakeContainerEngine> {
  const [bin, state] = [path.join(directory, 'bin'), path.join(directory, 'state')];
  await mkdir(bin, { recursive: true });
  await mkdir(path.join(state, 'calls'), { recursive: true });
  for (const name of ['docker', 'podman']) {
    await writeFile(path.join(bin, name), script);
    await chmod(path.join(bin, name), 0o755);
  }
  const readRecords = async (ending: string) => {
    const names = (await readdir(path.join(state, 'calls'))).filter((name) => name.endsWith(ending)).sort();
    return Promise.all(
      names.map(async (name) => ({
        engine: name.replace(ending, '').split('-').pop() ?? '',
        text: await readFile(path.join(state, 'calls', name), 'utf8'),
      })),
    );
  };
  return {
    bin,
    async setRunning(engine, isRunning) {
      const file = path.join(state, `${engine}-answers`);
      if (isRunning) await writeFile(file, '');
      else await rm(file, { force: true });
    },
    async calls(verb) {
      const calls = (await readRecords('.args')).map(({ engine, text }) => [engine, ...text.split('\n').slice(0, -1)]);
      return calls.filter((words) => verb === undefined || words[1] === verb);
    },
    environments: async () => (await readRecords('.env')).map(({ text }) => text),
    containers: () => readdir(path.join(state, 'containers')).catch(() => []),
  };
}
