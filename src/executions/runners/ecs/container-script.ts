export interface ContainerCommand {
  /** Run by `sh -c`. */
  command: string;
  timeoutSeconds: number;
  /** Existing working directory. */
  directory: string;
}

/** Seconds between checks that a stopped command has ended, 10 in all. Tries 1 s where `sleep` takes no fractions. */
const waits = '.1 .3 .6 1 1 1 1 1 1 1 1 1';

/**
 * Returns a script for `/bin/sh -c` in a container: runs a command with stdout and stderr as one stream, and exits with
 * the code of the command, or with 124 after the timeout. At the end of the command, and when the script receives
 * SIGTERM or SIGINT, all processes of the command receive SIGTERM, and SIGKILL after 10 s, and no process outlives the
 * script. Needs a POSIX shell and `sleep`, neither bash nor `timeout`.
 *
 * As process 1 of a container, the script signals every other process. Elsewhere the script signals the session of the
 * command, if `setsid` of util-linux or busybox exists, else the shell of the command alone.
 */
export function containerScript({ command, timeoutSeconds, directory }: ContainerCommand): string {
  const seconds = Math.ceil(timeoutSeconds);
  // Variables have a prefix, because the command would receive our value of a variable from its environment.
  return `exec 2>&1
cd ${quoteForShell(directory)} || exit 1
_rg_end= _rg_all= _rg_run=
_rg_kill() { kill -$1 $_rg_all || kill -$1 $_rg_child; }
_rg_stop() { _rg_end=\${_rg_end:-$1}; [ -z "$_rg_all" ] || _rg_kill TERM; }
trap 'echo "[reefguide] stopped: the command exceeded the timeout of ${seconds} s"; _rg_stop 124' USR1
trap '_rg_stop own' TERM INT
(trap 'kill "$!"; exit' TERM; sleep ${seconds} & wait "$!" && kill -USR1 $$) </dev/null >/dev/null 2>&1 &
_rg_timer=$!
[ $$ = 1 ] || ! command -v setsid >/dev/null || _rg_run=setsid
env --default-signal=INT,QUIT true 2>/dev/null && _rg_run="$_rg_run env --default-signal=INT,QUIT"
[ -z "$_rg_end" ] || { kill $_rg_timer; exit 143; }
$_rg_run /bin/sh -c ${quoteForShell(command)} &
_rg_child=$!
exec 2>/dev/null
_rg_all=-$_rg_child
[ $$ != 1 ] || _rg_all=-1
if [ -n "$_rg_end" ]; then _rg_kill TERM; else wait $_rg_child; fi
_rg_code=$?
kill $_rg_timer
if [ -n "$_rg_end" ]; then
for _rg_n in ${waits}; do _rg_kill 0 || break; sleep $_rg_n || sleep 1; done
_rg_kill KILL
wait $_rg_child
_rg_code=$?
fi
_rg_kill KILL
[ "$_rg_end" != 124 ] || _rg_code=124
exit $_rg_code
`;
}

/** Returns a text as one word of a POSIX shell: `it's` → `'it'\''s'`. */
export const quoteForShell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
