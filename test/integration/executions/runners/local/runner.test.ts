// Tests the runner alone, without a database.
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type LocalRunnerOptions, openLocalCommandRunner } from '../../../../../src/executions/runners/local/runner.js';
import type { CommandRunner } from '../../../../../src/executions/runners/runner.js';
import { createRequest, startObserved } from '../../../../support/local-runner.js';
import { isRunning, readPids, untilGone } from '../../../../support/processes.js';
import { until } from '../../../../support/until.js';

let directory: string;
const runners: CommandRunner[] = [];
beforeEach(async () => {
  directory = await realpath(await mkdtemp(path.join(os.tmpdir(), 'reefguide-commands-')));
});
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.close();
  await rm(directory, { recursive: true, force: true });
});

const executions = () => path.join(directory, 'executions');
const start = async (options: Partial<LocalRunnerOptions> = {}) => {
  const runner = await openLocalCommandRunner({
    directory: executions(),
    engines: [],
    env: process.env,
    killAfterMs: 300,
    now: Date.now,
    ...options,
  });
  runners.push(runner);
  return runner;
};
const ran = async (runner: CommandRunner, ...args: Parameters<typeof createRequest>) =>
  (await startObserved(runner, createRequest(...args))).ended;
const file = (name: string) => path.join(directory, name);
/** Returns a shell command that waits until the test opens the barrier. */
const barrier = (name: string) => `while [ ! -e ${file(name)} ]; do sleep 0.02; done`;
const open = (name: string) => writeFile(file(name), '');

/** Starts a process that runs commands and prints the results. `body` may use `run(command)` and `runner`. */
function startOwner(body: string, shell = 'exec "$@"') {
  const module = pathToFileURL(path.resolve('dist/executions/runners/local/runner.js')).href;
  const script = `
    import { openLocalCommandRunner } from ${JSON.stringify(module)};
    const runner = await openLocalCommandRunner({
      directory: ${JSON.stringify(executions())}, engines: [], env: process.env, killAfterMs: 300, now: Date.now,
    });
    const run = async (command, executionId = crypto.randomUUID(), env = {}) => {
      const { attached } = await runner.start({
        executionId, command, image: { image: 'x' }, env, timeoutSeconds: 60, git: undefined });
      let text = '';
      for await (const chunk of attached.output) text += chunk;
      const end = await attached.ended;
      await attached.release();
      return { ...end, text };
    };
    ${body}`;
  const words = [process.execPath, '--input-type=module', '-e', script];
  const child = spawn('/bin/sh', ['-c', shell, 'sh', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const ended = new Promise<{ code: number | null; text: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, text })),
  );
  return { child, ended };
}

describe('LocalCommandRunner', () => {
  it('kills a command that ignores SIGTERM, with all that it started', async () => {
    const runner = await start();
    const command = await startObserved(
      runner,
      createRequest(
        `trap '' TERM; echo $$ >> ${file('pids')}; sleep 300 & echo $! >> ${file('pids')}; wait; sleep 300`,
      ),
    );
    const pids = await readPids(file('pids'), 2);
    await runner.stop(command.taskArn);
    expect((await command.ended).exitCode).toBe(130);
    await untilGone(...pids);
    await runner.stop(command.taskArn);
  });

  it('does not wait for a daemon that holds the output open', async () => {
    const daemon = `setsid sh -c 'echo $$ > ${file('pids')}; while sleep 0.05; do echo still here; done'`;
    const { exitCode, lines } = await ran(await start(), `${daemon} & ${barrier('pids')}; echo done`, {
      timeoutSeconds: 1,
    });
    expect([exitCode, lines]).toEqual([0, expect.arrayContaining(['done'])]);
    // The daemon ends because nothing reads its output.
    await untilGone(...(await readPids(file('pids'), 1)));
  });

  /** Prints numbered lines until nothing reads them, and records the number of printed lines. */
  const lineBytes = 4_096;
  const printer = () => `
    const { writeFileSync, writeSync } = require('node:fs');
    for (let n = 0; ; writeFileSync('${file('printed')}', String(++n)))
      writeSync(1, String(n).padEnd(${lineBytes - 1}, '.') + '\\n');`;
  const printed = async () => Number(await readFile(file('printed'), 'utf8').catch(() => 0));
  /** Starts a command that ends with more unread output than the runner reads ahead. */
  const endUnread = async (runner: CommandRunner, timeoutSeconds: number) => {
    const command = `'${process.execPath}' -e "${printer()}" & ${barrier('go')}`;
    const { attached } = await runner.start(createRequest(command, { timeoutSeconds }));
    let last = 0;
    let since = Date.now();
    await until(async () => {
      const now = await printed();
      if (now !== last) since = Date.now();
      last = now;
      return now * lineBytes > 500_000 && Date.now() - since > 300;
    });
    const leader = async () => {
      const names = await readdir(executions(), { recursive: true });
      return names.map((name) => Number(/\/group-(\d+)$/.exec(name)?.[1])).find((pid) => pid > 0);
    };
    const pid = await until(leader);
    await open('go');
    await untilGone(pid);
    return attached;
  };

  it('keeps the whole output of an ended command for a slow reader', async () => {
    const seconds = 5;
    const attached = await endUnread(await start(), seconds);
    // Waits longer than the timeout and the drain time.
    const over = Date.now() + seconds * 1_000 + 300;
    await until(() => Date.now() > over);
    let text = '';
    for await (const chunk of attached?.output ?? []) text += Buffer.from(chunk).toString();
    const lines = text.split('\n').slice(1, -1).map(Number.parseFloat);
    expect(lines.length).toBeGreaterThanOrEqual(await printed());
    expect(lines).toEqual(lines.map((_, n) => n));
    expect(await attached?.ended).toEqual({ exitCode: 0 });
  });

  it('close: does not wait for unread output', async () => {
    const runner = await start();
    const attached = await endUnread(runner, 60);
    await runner.close();
    expect(await attached?.ended).toEqual({ exitCode: 130 });
  });

  it('survives a command that spoils the directory beside its workspace', async () => {
    const runner = await start();
    const spoil = 'mkdir ../group-1 ../group-2; ln -s nowhere ../group-3; rm ../owner.json; mkdir ../owner.json';
    expect((await ran(runner, spoil)).exitCode).toBe(0);
    expect((await ran(runner, 'true')).exitCode).toBe(0);
    await start();
    expect(await readdir(executions())).toEqual([]);
  });

  it('filterExisting: returns a command until its release, in another server of the directory, too', async () => {
    const runner = await start();
    const { taskArn, attached } = await runner.start(createRequest('true'));
    for await (const _ of attached?.output ?? []);
    await attached?.ended;
    const countInOtherServer = async () => {
      const owner = startOwner(`
        console.log((await runner.filterExisting([${JSON.stringify(taskArn)}])).size);
        await runner.close();`);
      return (await owner.ended).text.trim();
    };
    expect([await countInOtherServer(), (await runner.filterExisting([taskArn])).size]).toEqual(['1', 1]);
    await attached?.release();
    expect([await countInOtherServer(), (await runner.filterExisting([taskArn])).size]).toEqual(['0', 0]);
  });

  it('fails a command that cannot be started with the reason, and runs the next', async () => {
    const owner = startOwner(`
      const { rmSync, writeFileSync } = await import('node:fs');
      const long = await run('true', undefined, Object.fromEntries(Array.from({ length: 400 }, (_, n) => ['V' + n, 'x'.repeat(65536)])));
      const directory = ${JSON.stringify(executions())};
      rmSync(directory, { recursive: true });
      writeFileSync(directory, 'a file');
      const nowhere = await run('true');
      rmSync(directory);
      console.log(JSON.stringify([long, nowhere, await run('exit 7')]));`);
    const { code, text } = await owner.ended;
    const problem = (what: string) => expect.stringMatching(new RegExp(`\\[reefguide\\] could not start: ${what}\n$`));
    expect([code, JSON.parse(text)]).toEqual([
      0,
      [
        { exitCode: 126, text: problem('the command and its variables are longer than this machine allows') },
        { exitCode: 126, text: problem('Cannot write the directory of the command: a part of the path is a file') },
        { exitCode: 7, text: expect.any(String) },
      ],
    ]);
  });
});

describe('LocalCommandRunner with more commands than may run at once', () => {
  it('starts waiting commands in order, and stops a waiting command at once', async () => {
    const runner = await start({ maxConcurrent: 2 });
    const command = (name: string) =>
      startObserved(runner, createRequest(`echo ${name} >> ${file('order')}; ${barrier(name)}`));
    const [a, b] = [await command('a'), await command('b')];
    await Promise.all([a.running, b.running]);
    const waiting = await Promise.all(['c', 'd', 'e'].map(command));
    const [c, d, e] = waiting;
    expect(await runner.filterExisting(waiting.map(({ taskArn }) => taskArn))).toHaveProperty('size', 3);
    await runner.stop(d?.taskArn ?? '');
    expect(await d?.ended).toEqual({ exitCode: 130, text: '', lines: [] });
    const order = async () => (await readFile(file('order'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
    await until(async () => (await order()).length === 2);
    await open('a');
    await until(async () => (await order()).length === 3);
    await open('b');
    await until(async () => (await order()).length === 4);
    expect((await order()).slice(2)).toEqual(['c', 'e']);
    await Promise.all([open('c'), open('e')]);
    for (const one of [a, b, c, e]) expect((await one?.ended)?.exitCode).toBe(0);
  });

  it('close: ends waiting commands without running them', async () => {
    const runner = await start({ maxConcurrent: 1 });
    const first = await startObserved(runner, createRequest('sleep 300'));
    const second = await startObserved(runner, createRequest(`touch ${file('ran')}`));
    await first.running;
    await runner.close();
    expect([(await first.ended).exitCode, (await second.ended).exitCode]).toEqual([130, 130]);
    expect(await readdir(directory)).not.toContain('ran');
  });
});

describe('LocalCommandRunner of a server', () => {
  it('ends the commands of a killed server, whatever else its directory holds', async () => {
    const noise = `trap '' TERM; echo $$ >> ${file('pids')}; sleep 300 & echo $! >> ${file('pids')}; wait; sleep 300`;
    const id = 'a'.repeat(32);
    const owner = startOwner(`run(${JSON.stringify(noise)}, ${JSON.stringify(id)});`);
    const pids = await readPids(file('pids'), 2);
    // A second server beside the first leaves the command alone.
    await start();
    // A full disk may leave an empty record.
    await writeFile(path.join(executions(), id, 'group-1'), '');
    owner.child.kill('SIGKILL');
    await owner.ended;
    expect(pids.map(isRunning)).toEqual([true, true]);
    await start();
    await untilGone(...pids);
    expect(await readdir(executions())).toEqual([]);
  });

  it('leaves no process, descriptor or directory after 100 commands', async () => {
    const owner = startOwner(`
      const { readdirSync } = await import('node:fs');
      const { execFileSync } = await import('node:child_process');
      const count = () => readdirSync('/dev/fd').length;
      await run('true');
      const before = count();
      for (let n = 0; n < 5; n += 1)
        await Promise.all(Array.from({ length: 20 }, (_, m) => run(m % 2 ? 'echo x; sleep 300 & exit 1' : 'true')));
      const children = execFileSync('ps', ['-eo', 'ppid=,stat=']).toString().split('\\n')
        .filter((line) => line.trim().startsWith(process.pid + ' ')).length;
      // ps itself is one.
      console.log(JSON.stringify({ more: count() - before, children: children - 1, directories: readdirSync(${JSON.stringify(executions())}) }));
      await runner.close();`);
    const { code, text } = await owner.ended;
    expect([code, JSON.parse(text)]).toEqual([0, { more: 0, children: 0, directories: [] }]);
  });

  it('fails commands without file descriptors with the reason, and runs the next', async () => {
    const owner = startOwner(
      `const { closeSync, openSync } = await import('node:fs');
      await run('true');
      const descriptors = [];
      try {
        for (;;) descriptors.push(openSync('/dev/null'));
      } catch {}
      for (const one of descriptors.splice(0, 30)) closeSync(one);
      const all = await Promise.all(Array.from({ length: 60 }, () => run('sleep 0.3')));
      console.log(JSON.stringify({ all, after: (await run('exit 7')).exitCode }));
      await runner.close();`,
      'ulimit -n 500; exec "$@"',
    );
    const { code, text } = await owner.ended;
    expect(code).toBe(0);
    const { all, after } = JSON.parse(text);
    expect(after).toBe(7);
    expect(all).toContainEqual({ exitCode: 126, text: expect.stringMatching(/could not start: .*too many/) });
    expect(all).toContainEqual({ exitCode: 0, text: expect.any(String) });
  });
});
