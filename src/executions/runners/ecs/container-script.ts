export interface ContainerCommand {
  /** Run by `sh -c`. */
  command: string;
  timeoutSeconds: number;
  /** Where it runs; it is there already. */
  directory: string;
}

/** How long what was asked to end may take, in waits that a `sleep` without fractions rounds up: 10 s in all. */
const patience = '.1 .3 .6 1 1 1 1 1 1 1 1 1';

/**
 * A script for `/bin/sh -c` that runs a command in a container: its output as one stream, its exit code, 124 when its time
 * is up. Then, and when the script is told to end (SIGTERM, SIGINT), everything of the command gets SIGTERM, and SIGKILL
 * after 10 s; nothing of it outlives the script. It needs a POSIX shell and `sleep`, neither bash nor `timeout`.
 *
 * As process 1 of a container, "everything" is every other process, whatever it did to get away. Elsewhere it is the
 * session of the command, which takes `setsid` of util-linux or busybox; without that, its shell alone.
 */
export function containerScript({ command, timeoutSeconds, directory }: ContainerCommand): string {
  const seconds = Math.ceil(timeoutSeconds);
  // The names of variables are ours: one that the environment holds already would be passed on with our value.
  return `exec 2>&1
cd ${shellQuoted(directory)} || exit 1
_rg_end= _rg_all= _rg_run=
_rg_kill() { kill -$1 $_rg_all || kill -$1 $_rg_child; }
_rg_stop() { _rg_end=\${_rg_end:-$1}; [ -z "$_rg_all" ] || _rg_kill TERM; }
trap 'echo "[reefguide] stopped: it ran for ${seconds} s, the time it was given"; _rg_stop 124' USR1
trap '_rg_stop own' TERM INT
(trap 'kill "$!"; exit' TERM; sleep ${seconds} & wait "$!" && kill -USR1 $$) </dev/null >/dev/null 2>&1 &
_rg_timer=$!
[ $$ = 1 ] || ! command -v setsid >/dev/null || _rg_run=setsid
env --default-signal=INT,QUIT true 2>/dev/null && _rg_run="$_rg_run env --default-signal=INT,QUIT"
[ -z "$_rg_end" ] || { kill $_rg_timer; exit 143; }
$_rg_run /bin/sh -c ${shellQuoted(command)} &
_rg_child=$!
exec 2>/dev/null
_rg_all=-$_rg_child
[ $$ != 1 ] || _rg_all=-1
if [ -n "$_rg_end" ]; then _rg_kill TERM; else wait $_rg_child; fi
_rg_code=$?
kill $_rg_timer
if [ -n "$_rg_end" ]; then
for _rg_n in ${patience}; do _rg_kill 0 || break; sleep $_rg_n || sleep 1; done
_rg_kill KILL
wait $_rg_child
_rg_code=$?
fi
_rg_kill KILL
[ "$_rg_end" != 124 ] || _rg_code=124
exit $_rg_code
`;
}

/** Text as one word of a POSIX shell. */
export const shellQuoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
