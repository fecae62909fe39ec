import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ContainerCommand,
  containerScript,
  shellQuoted,
} from '../../../../../src/executions/runners/ecs/container-script.js';
import { readPids, untilGone } from '../../../../support/processes.js';
import { until } from '../../../../support/until.js';

const works = (program: string, ...args: string[]) => spawnSync(program, args, { stdio: 'ignore' }).status === 0;
/** Runs its words as process 1 of a new PID namespace, which is what a container is here. */
const namespaced = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
const hasNamespaces = works(namespaced[0] ?? '', ...namespaced.slice(1), 'true');
if (!hasNamespaces) console.log('unshare cannot make PID namespaces here: what runs as process 1 is not tested');
const restoresSignals = works('env', '--default-signal=INT,QUIT', 'true');

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-script-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The script in a shell, its two streams apart. */
function start(command: string, changes: Partial<ContainerCommand> = {}, words = ['/bin/sh'], env = {}) {
  const script = containerScript({ command, timeoutSeconds: 60, directory: folder, ...changes });
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

/** PATH with a program of ours before all others. */
async function ownProgram(name: string, script: string): Promise<string> {
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  await writeFile(path.join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(path.join(bin, name), 0o755);
  return `${bin}:${process.env.PATH}`;
}

const shells: [string, string[]][] = [['sh', ['/bin/sh']]];
if (works('bash', '-c', ':')) shells.push(['bash', ['bash', '--posix']]);
if (works('busybox', 'sh', '-c', ':')) shells.push(['busybox', ['busybox', 'sh']]);
if (hasNamespaces) shells.push(['sh as process 1', [...namespaced, '/bin/sh']]);

describe.each(shells)('a command under %s', (_, words) => {
  const run = (command: string, changes: Partial<ContainerCommand> = {}) => start(command, changes, words).ended;

  it.each([
    ['exit 0', 0],
    ['exit 3', 3],
    ['false', 1],
    ['no-such-program', 127],
    ['kill -9 $$', 137],
    ['exit 124', 124],
  ])('%s ends with its own code', async (command, code) => {
    expect((await run(command)).code).toBe(code);
  });

  it('says both streams as one, in order', async () => {
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
  ])('means what it means to sh -c: %j', async (command) => {
    const { status, stdout } = spawnSync('/bin/sh', ['-c', `exec 2>&1; /bin/sh -c "$1"`, 'sh', command], {
      encoding: 'utf8',
      cwd: folder,
    });
    expect(await run(command)).toEqual({ code: status, stdout, stderr: '' });
  });

  it('runs in its folder, whatever that is called', async () => {
    const directory = path.join(folder, `-it's a "$HOME" folder`);
    await mkdir(directory);
    expect(await run('pwd', { directory })).toMatchObject({ code: 0, stdout: `${directory}\n` });
  });

  it('does not run in another folder', async () => {
    const directory = path.join(folder, 'missing');
    const { code, stdout } = await run('echo it runs', { directory });
    expect([code, stdout]).toEqual([1, expect.stringContaining('missing')]);
    expect(stdout).not.toContain('it runs');
  });

  it('gets no variables of the script', async () => {
    expect((await run('env')).stdout).not.toMatch(/_rg_/);
  });

  it('leaves nothing behind that it started, and is not kept from ending by it', async () => {
    const { code, stdout } = await run(`sleep 300 & echo $! > pids; echo done`);
    expect([code, stdout]).toEqual([0, 'done\n']);
    if (!words.includes('--pid')) await untilGone(...(await readPids(path.join(folder, 'pids'), 1)));
  });

  it('ends with 124 when its time is up, with all that it started', async () => {
    const { code, stdout } = await run(
      'echo $$ >> pids; sleep 300 & echo $! >> pids; echo begun; wait; echo not this',
      {
        timeoutSeconds: 1,
      },
    );
    expect([code, stdout]).toEqual([124, 'begun\n[reefguide] stopped: it ran for 1 s, the time it was given\n']);
    if (!words.includes('--pid')) await untilGone(...(await readPids(path.join(folder, 'pids'), 2)));
  });

  it('may end in its own way when its time is up, but not with another code', async () => {
    const { code, stdout } = await run(`trap 'echo cleaned up; exit 0' TERM; sleep 300 & wait`, { timeoutSeconds: 1 });
    expect([code, stdout]).toEqual([124, expect.stringMatching(/cleaned up\n$/)]);
  });

  (restoresSignals ? it : it.skip)('can be interrupted, though it runs in the background', async () => {
    expect((await run(`sh -c 'kill -INT $$; echo not this'; echo then $?`)).stdout).toBe('then 130\n');
  });
});

describe('a command that is told to end', () => {
  it('gets the signal and ends as it likes', async () => {
    // A shell that has just been forked still has the trap of the other, and would lose the signal.
    const sleeper = `/bin/sh -c 'echo begun; exec sleep 300'`;
    const { child, ended, says } = start(`trap 'echo asked to end; exit 7' TERM; ${sleeper} & wait`);
    await says('begun');
    const askedAt = Date.now();
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 7, stdout: 'begun\nasked to end\n', stderr: '' });
    expect(Date.now() - askedAt).toBeLessThan(8_000);
  });

  it('ends by the signal when it says nothing else, with all that it started', async () => {
    const { child, ended, says } = start('echo $$ >> pids; sleep 300 & echo $! >> pids; echo begun; wait');
    await says('begun');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    await untilGone(...(await readPids(path.join(folder, 'pids'), 2)));
  });

  it('before it runs does not run to its end', async () => {
    // What the script asks of `env` it asks just before it starts the command.
    const PATH = await ownProgram('env', 'kill -TERM $PPID; exit 1');
    const { code, stdout } = await start('sleep 300; echo not this', {}, ['/bin/sh'], { PATH }).ended;
    expect([code, stdout]).toEqual([143, '']);
  });
});

describe('a command that does not listen', () => {
  /** A `sleep` that writes down how long it is asked for, and takes no time; the command's time is up once it runs. */
  const hastySleep = () =>
    ownProgram(
      'sleep',
      `cd ${shellQuoted(folder)}; echo "$1" >> asked; [ "$1" != 60 ] || until [ -e begun ]; do :; done`,
    );
  const deaf = `trap '' TERM; echo $$ > pids; /bin/sleep 300 & echo $! >> pids; touch begun; wait`;

  it('is killed ten seconds after its time was up', async () => {
    const { code } = await start(deaf, {}, ['/bin/sh'], { PATH: await hastySleep() }).ended;
    expect(code).toBe(124);
    await untilGone(...(await readPids(path.join(folder, 'pids'), 2)));
    const asked = await readFile(path.join(folder, 'asked'), 'utf8');
    const [time, ...grace] = asked.trim().split('\n').map(Number);
    expect(time).toBe(60);
    expect(grace.reduce((sum, seconds) => sum + seconds, 0)).toBeCloseTo(10);
  });
});

(hasNamespaces ? it : it.skip)(
  'in a container, what has left the session of the command is asked to end as well',
  async () => {
    const command = `setsid sh -c 'trap "echo cleaned up; exit" TERM; echo begun; sleep 300 & wait' & wait`;
    const { ended } = start(command, { timeoutSeconds: 1 }, [...namespaced, '/bin/sh']);
    expect(await ended).toMatchObject({ code: 124, stdout: expect.stringMatching(/begun[\s\S]*cleaned up\n$/) });
  },
);

it('fits into what ECS takes for a task', () => {
  const script = containerScript({ command: '', timeoutSeconds: 604_800, directory: '/workspace' });
  expect(JSON.stringify(script).length).toBeLessThan(1_400);
});
