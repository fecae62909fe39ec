// The commands of the orchestrator, against a stand-in that speaks its contract.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type OrchestratorStandIn, startOrchestratorStandIn } from '../support/fakes/executions-api.js';
import { runProgram, startProgram } from '../support/program.js';

let folder: string;
let standIn: OrchestratorStandIn;

const options = (env: Record<string, string> = {}) => ({
  cwd: folder,
  env: {
    REEFGUIDE_HOME: path.join(folder, 'home'),
    XDG_CONFIG_HOME: path.join(folder, 'config'),
    REEFGUIDE_API: standIn.url,
    REEFGUIDE_API_KEY: 'the key',
    NO_COLOR: '1',
    TZ: 'UTC',
    ...env,
  },
});
const run = (args: string[], env?: Record<string, string>) => runProgram(args, options(env));
const start = (args: string[]) => startProgram(args, options());
const answer = (route: string, body: unknown, status = 200) => standIn.answers.set(route, { status, body });
const lastBody = () => standIn.last()?.body;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'reefguide-executions-'));
  standIn = await startOrchestratorStandIn();
});
afterEach(() => {
  standIn.answers.clear();
  standIn.plan({});
});
afterAll(async () => {
  await standIn.close();
  await rm(folder, { recursive: true, force: true });
});

describe('run', () => {
  it('prints numbered lines with times on stdout, the rest on stderr, and exits as the command did', async () => {
    standIn.plan({ lines: ['one', 'two'], end: { status: 'FAILED', exitCode: 42 } });
    const { code, stdout, stderr } = await run(['run', 'exit 42']);
    const id = standIn.last()?.state.execution_id;
    expect([code, stdout]).toEqual([42, '   1  04:05:00  one\n   2  04:05:01  two\n']);
    expect(stderr).toBe(`Execution ${id} in ubuntu:24.04\nExecution ${id} FAILED with exit code 42 after 1m\n`);
  });

  it('exits with 0 after a success, and with 1 after a failure that left no code', async () => {
    standIn.plan({ end: { status: 'SUCCEEDED', exitCode: 0 } });
    expect((await run(['run', 'true'])).code).toBe(0);
    standIn.plan({ end: { status: 'FAILED', exitCode: null } });
    expect((await run(['run', 'true'])).code).toBe(1);
  });

  it('misses and repeats no line when connections break', async () => {
    const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`);
    const acts = [
      { sends: 10, ends: 'drop' as const },
      { sends: 5, repeats: 3, ends: 'slow_consumer' as const },
    ];
    standIn.plan({ lines, acts, end: { status: 'SUCCEEDED', exitCode: 0 } });
    const { stdout } = await run(['run', 'seq 30']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(16)),
    ).toEqual(lines);
  });

  it('sends all that its flags say', async () => {
    standIn.plan({ end: { status: 'SUCCEEDED', exitCode: 0 } });
    const flags = ['--image', 'a/b:1', '--env', 'A=1=2', '--env', 'FROM_HERE', '--secret', 's1', '--secret', 's2'];
    const git = ['--timeout', '10m', '--git-repo', 'https://a/b.git', '--git-ref', 'main', '--git-path', 'c'];
    // Before the command too: a flag that takes several values must not take the command as one.
    expect((await run(['run', ...flags, 'make it', ...git], { FROM_HERE: 'here' })).code).toBe(0);
    expect(lastBody()).toEqual({
      command: 'make it',
      image: 'a/b:1',
      env: { A: '1=2', FROM_HERE: 'here' },
      secrets: ['s1', 's2'],
      timeout: 600,
      git_repo: 'https://a/b.git',
      git_ref: 'main',
      git_path: 'c',
    });
    expect(standIn.requests.every(({ apiKey }) => apiKey === 'the key')).toBe(true);
  });

  it('sends nothing that was not said', async () => {
    standIn.plan({ end: { status: 'SUCCEEDED', exitCode: 0 } });
    await run(['run', 'true']);
    expect(lastBody()).toEqual({ command: 'true' });
  });

  it('--json prints one object, with the logs on stderr', async () => {
    standIn.plan({ lines: ['one'], end: { status: 'FAILED', exitCode: 3 } });
    const { code, stdout, stderr } = await run(['run', 'exit 3', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([3, standIn.last()?.state]);
    expect(stderr).toContain('   1  04:05:00  one\n');
  });

  it('--detach prints the id, and says on stderr how to follow and kill it', async () => {
    const { code, stdout, stderr } = await run(['run', 'sleep 60', '--detach']);
    const id = standIn.last()?.state.execution_id;
    expect([code, stdout]).toEqual([0, `${id}\n`]);
    expect(stderr).toContain(`reefguide executions logs ${id}`);
    expect(stderr).toContain(`reefguide executions kill ${id}`);
    expect(standIn.last()?.killed).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('without a terminal %s kills it and exits with 130', async (signal) => {
    standIn.plan({ lines: ['it runs'] });
    const program = start(['run', 'sleep 60']);
    await program.prints('it runs');
    program.child.kill(signal);
    const { code, stdout, stderr } = await program.finished;
    expect([code, stdout, standIn.last()?.killed]).toEqual([130, expect.stringContaining('it runs'), true]);
    expect(stderr).toMatch(/Execution \w+ is being stopped\.\n$/);
  });

  it('says what the API has against it', async () => {
    const details = [{ path: 'body.image', message: 'expected an image' }];
    answer('POST /api/v1/run', { error: 'Invalid request', code: 'INVALID_REQUEST', details }, 400);
    const { code, stdout, stderr } = await run(['run', 'true', '--image', '-']);
    expect([code, stdout, stderr]).toEqual([1, '', 'Error: Invalid request\n  body.image: expected an image\n']);
  });

  it.each([
    [['run'], 'command'],
    [['run', 'true', '--timeout', 'soon'], 'Invalid --timeout "soon"'],
    [['run', 'true', '--env', 'NOT_SET_HERE'], 'Invalid --env "NOT_SET_HERE"'],
    [['executions', 'status', '17'], 'Invalid execution id "17"'],
    [['executions', 'list', '--status', 'BROKEN'], 'BROKEN'],
  ])('%j is wrong usage', async (args, message) => {
    const { code, stderr } = await run(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('executions', () => {
  const execution = {
    execution_id: 'a'.repeat(32),
    created_by: 'someone@example.org',
    owned_by: ['someone@example.org'],
    command: 'echo one\necho two',
    image_id: 'ubuntu:24.04',
    status: 'FAILED',
    exit_code: 9,
    started_at: '2026-03-01T04:05:00.000Z',
    completed_at: '2026-03-01T04:06:05.000Z',
    duration_seconds: 65,
  };

  it('list shows a line each, and asks for what it was told', async () => {
    answer('GET /api/v1/executions', [execution]);
    const { stdout } = await run(['executions', 'list', '--status', 'FAILED,STOPPED', '--limit', '0']);
    expect(stdout).toMatch(/^a{32} +FAILED +9 +\d.* ago +1m 5s +someone@example\.org +ubuntu:24\.04 +echo one…$/m);
    expect(standIn.requests.at(-1)?.query).toBe('?limit=0&status=FAILED%2CSTOPPED');
    const { stdout: json } = await run(['executions', 'list', '--json']);
    expect(JSON.parse(json)).toEqual([execution]);
  });

  it('status shows how it stands', async () => {
    const { state } = standIn.begin({});
    const { stdout } = await run(['executions', 'status', state.execution_id]);
    expect(stdout).toMatch(/^Status +RUNNING$/m);
    expect(JSON.parse((await run(['executions', 'status', state.execution_id, '--json'])).stdout)).toEqual(state);
    const missing = await run(['executions', 'status', 'f'.repeat(32)]);
    expect([missing.code, missing.stderr]).toEqual([1, 'Error: Not found\n']);
  });

  it('logs prints those of an ended one, and follows one that runs to its end', async () => {
    const ended = standIn.begin({ lines: ['a', 'b'] });
    standIn.end(ended, 'FAILED', 1);
    const first = await run(['executions', 'logs', ended.state.execution_id]);
    expect([first.code, first.stdout]).toEqual([0, '   1  04:05:00  a\n   2  04:05:01  b\n']);

    const running = standIn.begin({ lines: ['c'] });
    const program = start(['executions', 'logs', running.state.execution_id]);
    await program.prints('04:05:00  c');
    standIn.end(running, 'SUCCEEDED', 0);
    const { code, stderr } = await program.finished;
    expect([code, stderr]).toEqual([0, expect.stringContaining('SUCCEEDED with exit code 0')]);
  });

  it('logs --no-follow ends although the execution runs, and --json holds its events', async () => {
    const running = standIn.begin({ lines: ['a', 'b'] });
    const { code, stdout } = await run(['executions', 'logs', running.state.execution_id, '--no-follow', '--json']);
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      { execution_id: running.state.execution_id, status: 'RUNNING', events: running.events },
    ]);
  });

  it('logs leaves the execution running at SIGINT', async () => {
    const running = standIn.begin({ lines: ['a'] });
    const program = start(['executions', 'logs', running.state.execution_id]);
    await program.prints('04:05:00  a');
    program.child.kill('SIGINT');
    expect([(await program.finished).code, running.killed]).toEqual([130, false]);
  });

  it('kill stops one, and says when it came too late', async () => {
    const { state } = standIn.begin({});
    const first = await run(['executions', 'kill', state.execution_id]);
    const second = await run(['executions', 'kill', state.execution_id, '--json']);
    expect([first.code, first.stdout]).toEqual([0, `Execution ${state.execution_id} is being stopped\n`]);
    expect([second.code, JSON.parse(second.stdout).killed]).toEqual([0, false]);
  });
});

describe('images', () => {
  const image = {
    image: 'ghcr.io/a/b:1',
    image_id: 'ghcr.io/a/b:1',
    is_default: true,
    cpu: 512,
    memory: 1024,
    runtime_platform: 'Linux/ARM64',
    task_role_name: 'reader',
    task_execution_role_name: null,
    created_by: 'someone@example.org',
    created_at: '2026-03-01T04:05:00.000Z',
    updated_at: '2026-03-01T04:05:00.000Z',
  };

  it('are listed, shown, registered and removed', async () => {
    answer('GET /api/v1/images', { images: [image] });
    expect((await run(['images', 'list'])).stdout).toMatch(/^ghcr.io\/a\/b:1 +default +512 +1024 MiB +Linux\/ARM64 /m);
    answer('GET /api/v1/images/ghcr.io/a/b%3A1', image);
    const shown = (await run(['images', 'show', image.image])).stdout;
    expect(shown).toMatch(/^Task role +reader$/m);
    expect(shown).not.toContain('Execution role');
    answer('POST /api/v1/images/register', { image: image.image, message: 'Registered' }, 201);
    const flags = [
      '--default',
      '--cpu',
      '512',
      '--memory',
      '1024',
      '--platform',
      'Linux/ARM64',
      '--task-role',
      'reader',
    ];
    expect((await run(['images', 'register', image.image, ...flags])).stdout).toBe('Registered ghcr.io/a/b:1\n');
    expect(standIn.requests.at(-1)?.body).toEqual({
      image: image.image,
      is_default: true,
      cpu: 512,
      memory: 1024,
      runtime_platform: 'Linux/ARM64',
      task_role_name: 'reader',
    });
    answer('DELETE /api/v1/images/ghcr.io/a/b%3A1', { image: image.image, message: 'Removed' });
    expect((await run(['images', 'remove', image.image])).stdout).toBe('Removed ghcr.io/a/b:1\n');
  });
});

describe('health and trace', () => {
  const health = { status: 'ok', version: '1.2.3', provider: 'local' };

  it('health shows the API, and exits with 1 when it is not ready', async () => {
    answer('GET /api/v1/health', health);
    answer('GET /api/ready', { status: 'ok' });
    const well = await run(['health']);
    expect([well.code, well.stdout]).toEqual([0, expect.stringMatching(/^Ready +yes$/m)]);
    answer('GET /api/ready', { status: 503, message: 'The database does not answer' }, 503);
    const unwell = await run(['health', '--json']);
    expect([unwell.code, JSON.parse(unwell.stdout)]).toEqual([
      1,
      { ...health, ready: false, reason: 'The database does not answer' },
    ]);
  });

  it('health reconcile prints what it found, and exits with 1 when there are errors', async () => {
    const counts = { total: 2, verified: 1 };
    const issue = { resource_type: 'execution', resource_id: 'abc', message: 'has no task' };
    const report = {
      timestamp: '2026-03-01T04:05:00.000Z',
      executions: counts,
      images: counts,
      secrets: counts,
      users: counts,
      issues: [
        { ...issue, severity: 'warning', action: 'repaired' },
        { ...issue, severity: 'error', action: 'reported' },
      ],
      reconciled_count: 1,
      error_count: 1,
    };
    answer('POST /api/v1/health/reconcile', { status: 'issues', report });
    const { code, stdout, stderr } = await run(['health', 'reconcile']);
    expect([code, stderr]).toEqual([1, '2 found, 1 repaired, 1 errors.\n']);
    expect(stdout).toMatch(/^executions +2 +1$/m);
    expect(stdout).toMatch(/^error +execution +abc +reported +has no task$/m);
    answer('POST /api/v1/health/reconcile', { status: 'ok', report: { ...report, issues: [], error_count: 0 } });
    expect((await run(['health', 'reconcile'])).code).toBe(0);
  });

  it('trace shows log lines and records', async () => {
    const logs = [{ timestamp: Date.UTC(2026, 2, 1), level: 'info', message: 'request', fields: { status: 202 } }];
    answer('GET /api/v1/trace/abc', {
      request_id: 'abc',
      logs,
      related_resources: { executions: [], images: [], secrets: [] },
    });
    expect((await run(['trace', 'abc'])).stdout).toBe('2026-03-01T00:00:00.000Z  info   request status=202\n');
  });
});

describe('playbook', () => {
  beforeAll(async () => {
    const playbooks = path.join(folder, 'home/playbooks');
    await mkdir(playbooks, { recursive: true });
    const text = `description: A greeting
image: a/b:\${TAG}
secrets: [s1]
env: {WHO: "\${NAME}", KEPT: "1"}
timeout: 5m
commands:
  - echo "$WHO"
  - echo $\${NAME} \${NAME}
`;
    await writeFile(path.join(playbooks, 'greet.yaml'), text);
    await writeFile(path.join(playbooks, 'broken.yml'), 'comands: [a]\n');
    await writeFile(path.join(playbooks, 'notes.txt'), 'no playbook');
  });

  it('run behaves as run, with what the file says and the flags add', async () => {
    standIn.plan({ lines: ['hello'], end: { status: 'FAILED', exitCode: 5 } });
    const { code, stdout } = await run([
      ...['playbook', 'run', 'greet', '--env', 'NAME=reef', '--env', 'TAG=2', '--secret', 's2', '--secret', 's1'],
    ]);
    expect([code, stdout]).toEqual([5, '   1  04:05:00  hello\n']);
    expect(lastBody()).toEqual({
      image: 'a/b:2',
      secrets: ['s1', 's2'],
      env: { WHO: 'reef', KEPT: '1', NAME: 'reef', TAG: '2' },
      timeout: 300,
      command: `echo "$WHO" && echo \${NAME} reef`,
    });
  });

  it('run takes a path, and flags win over the file', async () => {
    const file = 'home/playbooks/greet.yaml';
    const flags = [
      '--env',
      'NAME=reef',
      '--env',
      'WHO=else',
      '--image',
      'c:1',
      '--timeout',
      '10s',
      '--detach',
      '--json',
    ];
    const { stdout } = await run(['playbook', 'run', file, ...flags]);
    expect(JSON.parse(stdout).execution_id).toBe(standIn.last()?.state.execution_id);
    expect(lastBody()).toMatchObject({ image: 'c:1', timeout: 10, env: { WHO: 'else' } });
  });

  it('run names every problem with its line, and runs nothing', async () => {
    const before = standIn.requests.length;
    const { code, stdout, stderr } = await run(['playbook', 'run', 'greet']);
    expect([code, stdout, standIn.requests.length]).toEqual([1, '', before]);
    expect(stderr).toMatch(/^Error: home\/playbooks\/greet\.yaml has 2 problems\n/);
    expect(stderr).toMatch(
      /^ {2}home\/playbooks\/greet\.yaml:2:12: \$\{TAG\} has no value: give a value with --env TAG=/m,
    );
    expect(stderr).toMatch(/^ {2}home\/playbooks\/greet\.yaml:4:13: \$\{NAME\} has no value.*\(also in line 8\)$/m);
  });

  it('a name that is not there is one message with what was probably meant', async () => {
    const { code, stderr } = await run(['playbook', 'show', 'gret']);
    expect([code, stderr]).toEqual([1, 'Error: There is no playbook gret in home/playbooks\nDid you mean greet?\n']);
    expect((await run(['playbook', 'run', './nothing.yaml'])).stderr).toContain('there is no such file');
  });

  it('list shows all of the folder, the broken ones with their problems', async () => {
    const { code, stdout, stderr } = await run(['playbook', 'list']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^greet +A greeting +TAG, NAME$/m)]);
    expect(stdout).toMatch(/^broken +invalid: 2 problems$/m);
    expect(stdout).not.toContain('notes');
    expect(stderr).toContain('home/playbooks/broken.yml:1:1: unknown key `comands`: did you mean `commands`?');
    const empty = await run(['playbook', 'list', '--json'], { REEFGUIDE_HOME: path.join(folder, 'empty') });
    expect(JSON.parse(empty.stdout)).toEqual({ playbooks: [] });
  });

  it('show prints what it would run and wants', async () => {
    const { stdout } = await run(['playbook', 'show', 'greet']);
    expect(stdout).toMatch(/^Variables +--env TAG=… --env NAME=…$/m);
    expect(stdout).toContain('$ echo "$WHO"\n');
  });
});
