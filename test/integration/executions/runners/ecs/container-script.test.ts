import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ContainerCommand,
  containerScript,
  quoteForShell,
} from '../../../../../src/executions/runners/ecs/container-script.js';
import { readPids, untilGone } from '../../../../support/processes.js';
import { until } from '../../../../support/until.js';

const works = (program: string, ...args: string[]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;
/** Runs a program as process 1 of a new PID namespace, as in a container. */
const namespaced = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
const hasNamespaces = works(namespaced[0] ?? '', ...namespaced.slice(1), 'true');
if (!hasNamespaces) console.log('skipped tests of process 1: unshare cannot create PID namespaces here');
const restoresSignals = works('env', '--default-signal=INT,QUIT', 'true');

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-script-')));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Runs the script in a shell, with separate streams. */
function start(command: string, changes: Partial<ContainerCommand> = {}, words = ['/bin/sh'], env = {}) {
  const script = containerScript({ command, timeoutSeconds: 60, directory: root, ...changes });
  const [program = '', ...args] = [...words, '-c', script];
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said.stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, ...said })),
  );
  return { child, ended, says: (text: string) => until(() => said.stdout.includes(text), { what: `"${text}"` }) };
}

/** Returns a PATH that begins with a fake program. */
async function createProgram(name: string, script: string): Promise<string> {
  const bin = path.join(root, 'bin');
  await mkdir(bin);
  await writeFile(path.join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(path.join(bin, name), 0o755);
  return `${bin}:${process.env.PATH}`;
}

const shells: [string, string[]][] = [['sh', ['/bin/sh']]];
if (works('bash', '-c', ':')) shells.push(['bash', ['bash', '--posix']]);
if (works('busybox', 'sh', '-c', ':')) shells.push(['busybox', ['busybox', 'sh']]);
if (hasNamespaces) shells.push(['sh as process 1', [...namespaced, '/bin/sh']]);

describe.each(shells)('containerScript under %s', (_, words) => {
  const run = (command: string, changes: Partial<ContainerCommand> = {}) => start(command, changes, words).ended;

  it.each([
    ['exit 0', 0],
    ['exit 3', 3],
    ['false', 1],
    ['no-such-program', 127],
    ['kill -9 $$', 137],
    ['exit 124', 124],
  ])('exits with the code of the command: %s', async (command, code) => {
    expect((await run(command)).code).toBe(code);
  });

  it('prints both streams as one, in order', async () => {
    const { stdout, stderr } = await run('echo 1; echo 2 >&2; echo 3; echo 4 >&2');
    expect([stdout, stderr]).toEqual(['1\n2\n3\n4\n', '']);
  });

  it.each([
    `echo "it's" 'a "quoted"' word`,
    'echo $HOME `echo x` $(echo y) \\$HOME',
    "printf '%s\\n' 'a\\nb' \"c'd\"; echo 'tab\there'",
    'echo one\necho two # comment\n\n',
    "cat <<'END'\nit's $here\nEND\n",
    "echo ''\\'''\\\\''; echo ünïcödé 珊瑚",
    '-c',
    'for f in a b; do echo "$f"; done | sort -r; echo $0 $#',
  ])('runs the command as sh -c does: %j', async (command) => {
    const { status, stdout } = spawnSync('/bin/sh', ['-c', `exec 2>&1; /bin/sh -c "$1"`, 'sh', command], {
      encoding: 'utf8',
      cwd: root,
    });
    expect(await run(command)).toEqual({ code: status, stdout, stderr: '' });
  });

  it('runs in the directory, whatever its name', async () => {
    const directory = path.join(root, `-it's a "$HOME" directory`);
    await mkdir(directory);
    expect(await run('pwd', { directory })).toMatchObject({ code: 0, stdout: `${directory}\n` });
  });

  it('does not run in another directory', async () => {
    const directory = path.join(root, 'missing');
    const { code, stdout } = await run('echo it runs', { directory });
    expect([code, stdout]).toEqual([1, expect.stringContaining('missing')]);
    expect(stdout).not.toContain('it runs');
  });

  it('passes no variables of the script', async () => {
    expect((await run('env')).stdout).not.toMatch(/_rg_/);
  });

  it('kills what the command left running, and does not wait for it', async () => {
    const { code, stdout } = await run(`sleep 300 & echo $! > pids; echo done`);
    expect([code, stdout]).toEqual([0, 'done\n']);
    if (!words.includes('--pid')) await untilGone(...(await readPids(path.join(root, 'pids'), 1)));
  });

  it('exits with 124 after the timeout, and kills all that the command started', async () => {
    const { code, stdout } = await run(
      'echo $$ >> pids; sleep 300 & echo $! >> pids; echo begun; wait; echo not this',
      {
        timeoutSeconds: 1,
      },
    );
    expect([code, stdout]).toEqual([124, 'begun\n[reefguide] stopped: the command exceeded the timeout of 1 s\n']);
    if (!words.includes('--pid')) await untilGone(...(await readPids(path.join(root, 'pids'), 2)));
  });

  it('lets a command end by itself after the timeout, still with 124', async () => {
    const { code, stdout } = await run(`trap 'echo cleaned up; exit 0' TERM; sleep 300 & wait`, { timeoutSeconds: 1 });
    expect([code, stdout]).toEqual([124, expect.stringMatching(/cleaned up\n$/)]);
  });

  (restoresSignals ? it : it.skip)('lets SIGINT interrupt a command', async () => {
    expect((await run(`sh -c 'kill -INT $$; echo not this'; echo then $?`)).stdout).toBe('then 130\n');
  });
});

describe('containerScript on SIGTERM', () => {
  it('passes the signal on, and lets the command end by itself', async () => {
    // Uses a program of its own, because a shell that was just forked still has the trap of its parent.
    const sleeper = `/bin/sh -c 'echo begun; exec sleep 300'`;
    const { child, ended, says } = start(`trap 'echo ending; exit 7' TERM; ${sleeper} & wait`);
    await says('begun');
    const signalledAt = Date.now();
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 7, stdout: 'begun\nending\n', stderr: '' });
    expect(Date.now() - signalledAt).toBeLessThan(8_000);
  });

  it('ends the command by the signal, with all that it started', async () => {
    const { child, ended, says } = start('echo $$ >> pids; sleep 300 & echo $! >> pids; echo begun; wait');
    await says('begun');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    await untilGone(...(await readPids(path.join(root, 'pids'), 2)));
  });

  it('does not run a command that has not begun', async () => {
    // The script calls `env` just before it starts the command.
    const PATH = await createProgram('env', 'kill -TERM $PPID; exit 1');
    const { code, stdout } = await start('sleep 300; echo not this', {}, ['/bin/sh'], { PATH }).ended;
    expect([code, stdout]).toEqual([143, '']);
  });
});

describe('containerScript of a command that ignores SIGTERM', () => {
  /** Creates a `sleep` that records its seconds and returns at once, the timeout of 60 s as soon as the command runs. */
  const createInstantSleep = () =>
    createProgram(
      'sleep',
      `cd ${quoteForShell(root)}; echo "$1" >> seconds; [ "$1" != 60 ] || until [ -e begun ]; do :; done`,
    );
  const ignoringCommand = `trap '' TERM; echo $$ > pids; /bin/sleep 300 & echo $! >> pids; touch begun; wait`;

  it('kills the command ten seconds after the timeout', async () => {
    const { code } = await start(ignoringCommand, {}, ['/bin/sh'], { PATH: await createInstantSleep() }).ended;
    expect(code).toBe(124);
    await untilGone(...(await readPids(path.join(root, 'pids'), 2)));
    const recorded = await readFile(path.join(root, 'seconds'), 'utf8');
    const [timeout, ...grace] = recorded.trim().split('\n').map(Number);
    expect(timeout).toBe(60);
    expect(grace.reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(10);
  });
});

(hasNamespaces ? it : it.skip)(
  'containerScript as process 1: ends processes that left the session of the command, too',
  async () => {
    const command = `setsid sh -c 'trap "echo cleaned up; exit" TERM; echo begun; sleep 300 & wait' & wait`;
    const { ended } = start(command, { timeoutSeconds: 1 }, [...namespaced, '/bin/sh']);
    expect(await ended).toMatchObject({ code: 124, stdout: expect.stringMatching(/begun[\s\S]*cleaned up\n$/) });
  },
);

it('containerScript: stays far below the limit of ECS for overrides', () => {
  const script = containerScript({ command: '', timeoutSeconds: 604_800, directory: '/workspace' });
  expect(JSON.stringify(script).length).toBeLessThan(1_400);
});
