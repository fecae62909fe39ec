import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * A stand-in for an engine: `run` runs the command with sh on this machine, with nothing of the environment but what its
 * flags name, in the folder that they mount; `rm --force` ends it. What it was called with, and its environment, is kept.
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

export interface EngineStandIn {
  /** To be put first in PATH. */
  bin: string;
  /** Whether the engine behind the client is there. */
  answers(engine: 'docker' | 'podman', isThere: boolean): Promise<void>;
  /** Arguments of each call, the first first. */
  calls(verb?: string): Promise<string[][]>;
  /** Environments of the calls of `run`, as text. */
  environments(): Promise<string[]>;
  containers(): Promise<string[]>;
}

export async function engineStandIn(folder: string): Promise<EngineStandIn> {
  const [bin, state] = [path.join(folder, 'bin'), path.join(folder, 'state')];
  await mkdir(bin, { recursive: true });
  await mkdir(path.join(state, 'calls'), { recursive: true });
  for (const name of ['docker', 'podman']) {
    await writeFile(path.join(bin, name), script);
    await chmod(path.join(bin, name), 0o755);
  }
  const kept = async (ending: string) => {
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
    async answers(engine, isThere) {
      const file = path.join(state, `${engine}-answers`);
      if (isThere) await writeFile(file, '');
      else await rm(file, { force: true });
    },
    async calls(verb) {
      const calls = (await kept('.args')).map(({ engine, text }) => [engine, ...text.split('\n').slice(0, -1)]);
      return calls.filter((words) => verb === undefined || words[1] === verb);
    },
    environments: async () => (await kept('.env')).map(({ text }) => text),
    containers: () => readdir(path.join(state, 'containers')).catch(() => []),
  };
}
