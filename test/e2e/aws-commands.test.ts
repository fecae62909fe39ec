import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import { readKeys } from '../../src/accounts/signing-keys.js';
import { type Api, createApi } from '../../src/client/api.js';
import { type FakeAws, type FakeService, startFakeAws } from '../support/fakes/aws.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { freePort, type RunningProgram, runProgram, startProgram } from '../support/program.js';
import { until } from '../support/until.js';

let directory: string;
let aws: FakeAws;
const defaults = () => ({
  cwd: directory,
  env: {
    ...aws.env,
    REEFGUIDE_HOME: path.join(directory, 'home'),
    XDG_CONFIG_HOME: path.join(directory, 'config'),
    NO_COLOR: '1',
  },
});
const options = (env: Record<string, string> = {}) => ({ cwd: directory, env: { ...defaults().env, ...env } });
const run = (args: string[], env: Record<string, string> = {}) => runProgram(args, options(env));
const file = (name: string) => path.join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'reefguide-aws-'));
  aws = await startFakeAws();
});
beforeEach(() => {
  for (const name of ['refuse', 'hang'] as const) delete aws.faults[name];
  aws.calls.length = 0;
});
afterAll(async () => {
  await aws.close();
  await rm(directory, { recursive: true, force: true });
});

/** Expects one or two lines without a stack. */
function expectBrief(stderr: string) {
  const lines = stderr.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(2);
  expect(stderr).toMatch(/^Error: /);
  expect(stderr).not.toMatch(/^\s+at /m);
}

describe('keys aws', () => {
  const fields = (name: string): Record<string, string> => JSON.parse(aws.secret(name) ?? '{}');

  it('creates the secret, and prints its ARN with --json', async () => {
    const { code, stdout } = await run(['keys', 'aws', 'reef/new', '--json']);
    expect(code).toBe(0);
    const { JWT_PRIVATE_KEY = '', JWT_PUBLIC_KEY = '', JWT_KEY_ID = '', ...rest } = fields('reef/new');
    expect(rest).toEqual({});
    expect(readKeys({ privateKey: JWT_PRIVATE_KEY, publicKey: JWT_PUBLIC_KEY, keyId: JWT_KEY_ID }).keyId).toBe(
      JWT_KEY_ID,
    );
    expect(JSON.parse(stdout)).toEqual({ keyId: JWT_KEY_ID, previousKeyId: null, secret: aws.secretArn('reef/new') });
    expect(stdout).not.toContain('PRIVATE KEY');
  });

  it('keeps the other fields of a secret, and replaces keys only with --rotate or --force', async () => {
    aws.putSecret('reef/api', JSON.stringify({ URL_SIGNING_KEY: 'kept', NUMBER: 5 }));
    expect((await run(['keys', 'aws', 'reef/api'])).code).toBe(0);
    const created = fields('reef/api');
    expect(created).toMatchObject({ URL_SIGNING_KEY: 'kept', NUMBER: 5, JWT_KEY_ID: expect.any(String) });

    const refused = await run(['keys', 'aws', 'reef/api']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--rotate')]);
    expectBrief(refused.stderr);
    expect(fields('reef/api')).toEqual(created);

    expect((await run(['keys', 'aws', 'reef/api', '--rotate'])).code).toBe(0);
    const rotated = fields('reef/api');
    expect(rotated).toMatchObject({
      URL_SIGNING_KEY: 'kept',
      NUMBER: 5,
      JWT_PREVIOUS_KEY_ID: created.JWT_KEY_ID,
      JWT_PREVIOUS_PUBLIC_KEY: created.JWT_PUBLIC_KEY,
    });
    expect(rotated.JWT_KEY_ID).not.toBe(created.JWT_KEY_ID);
  });

  it('refuses a secret that is not a JSON object, and leaves the secret unchanged', async () => {
    aws.putSecret('reef/text', 'hunter2');
    const { code, stdout, stderr } = await run(['keys', 'aws', 'reef/text', '--force']);
    expect(code).toBe(1);
    expectBrief(stderr);
    expect(stdout + stderr).not.toContain('hunter2');
    expect(aws.secret('reef/text')).toBe('hunter2');
  });
});

describe('keys local --rotate', () => {
  let where: string;
  beforeEach(async () => {
    where = await mkdtemp(path.join(directory, 'keys-'));
  });
  const local = (...args: string[]) => runProgram(['keys', 'local', ...args], { ...defaults(), cwd: where });
  const written = async () => parse(await readFile(path.join(where, '.env')));

  it('keeps the previous key, for dotenv and for bash', async () => {
    await local();
    const before = await written();
    const { code, stdout } = await local('--rotate', '--json');
    const after = await written();
    expect([code, JSON.parse(stdout)]).toMatchObject([
      0,
      { keyId: after.JWT_KEY_ID, previousKeyId: before.JWT_KEY_ID },
    ]);
    const { JWT_PREVIOUS_PUBLIC_KEY: publicKey, JWT_PREVIOUS_KEY_ID: keyId } = after;
    expect([publicKey, keyId]).toEqual([before.JWT_PUBLIC_KEY, before.JWT_KEY_ID]);
    expect(after.JWT_KEY_ID).not.toBe(before.JWT_KEY_ID);
    const script = 'source .env; printf %s "$JWT_PREVIOUS_PUBLIC_KEY"';
    expect(execFileSync('bash', ['-c', script], { cwd: where, encoding: 'utf8' })).toBe(before.JWT_PUBLIC_KEY);
  });

  it('says how to create the first keys in a file without keys', async () => {
    const { code, stderr } = await local('--rotate');
    expect(code).toBe(1);
    expectBrief(stderr);
    expect(stderr).toContain('without --rotate');
    expect(existsSync(path.join(where, '.env'))).toBe(false);
  });
});

describe('capacity build-env', () => {
  const definition = 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/manager:3';
  const password = `pa ss'wo"rd $HOME \\ #\nlines`;
  const define = (...secrets: { name: string; valueFrom: string }[]) => {
    aws.stacks.set('reef-prod', { reefprodcapacityManagerTaskDfn: definition });
    const account = aws.putSecret('manager', JSON.stringify({ password }));
    aws.taskDefinitions.set(definition, [
      {
        name: 'manager',
        environment: [{ name: 'API_ENDPOINT', value: 'https://api.example.org' }],
        secrets: [{ name: 'API_PASSWORD', valueFrom: `${account}:password::` }, ...secrets],
      },
    ]);
  };
  const build = (...args: string[]) => run(['capacity', 'build-env', 'reef-prod', '--output', '.env.built', ...args]);

  it('writes a private file that dotenv and bash read equally, and overwrites a file only with --force', async () => {
    define();
    const { code, stdout, stderr } = await build();
    expect([code, stdout]).toEqual([0, '']);
    expect((await stat(file('.env.built'))).mode & 0o777).toBe(0o600);
    expect(parse(await readFile(file('.env.built')))).toEqual({
      API_ENDPOINT: 'https://api.example.org',
      API_PASSWORD: password,
    });
    const script = 'source .env.built; printf "%s|%s" "$API_ENDPOINT" "$API_PASSWORD"';
    const sourced = execFileSync('bash', ['-c', script], { cwd: directory, encoding: 'utf8' });
    expect(sourced).toBe(`https://api.example.org|${password}`);
    expect(stderr).not.toContain('wo"rd');

    await writeFile(file('.env.built'), 'mine');
    const refused = await build();
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--force')]);
    expectBrief(refused.stderr);
    expect(await readFile(file('.env.built'), 'utf8')).toBe('mine');
    expect((await build('--force')).code).toBe(0);
    expect(await readFile(file('.env.built'), 'utf8')).toContain('API_ENDPOINT=');
  });

  it('comments out an unreadable secret, and exits with 1', async () => {
    define(
      { name: 'GONE', valueFrom: aws.secretArn('gone') },
      { name: 'FIELD', valueFrom: `${aws.secretArn('manager')}:other` },
    );
    const { code, stdout, stderr } = await build('--force');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: \.env\.built lacks GONE, FIELD$/m);
    const text = await readFile(file('.env.built'), 'utf8');
    expect(text).toMatch(/^# GONE= \(left out: .*gone/m);
    expect(Object.keys(parse(text))).toEqual(['API_ENDPOINT', 'API_PASSWORD']);
    expect(stdout + stderr).not.toContain('wo"rd');
  });

  it.each(['a refusal of AWS', 'a missing stack'])('writes nothing at %s and says what to do', async (cause) => {
    define();
    await rm(file('.env.built'), { force: true });
    if (cause === 'a refusal of AWS')
      aws.faults.refuse = () => ({ name: 'AccessDenied', message: 'no policy allows it' });
    else aws.stacks.clear();
    const { code, stderr } = await build();
    expect(code).toBe(1);
    expectBrief(stderr);
    expect(stderr).toContain('cloudformation:DescribeStacks on stack reef-prod');
    expect(existsSync(file('.env.built'))).toBe(false);
  });
});

describe('commands with a server', () => {
  let postgres: TestPostgres;
  let server: RunningProgram;
  let admin: Api;
  let manager: Record<string, string>;
  let service: FakeService;
  const accounts = {
    ADMIN_USERNAME: 'admin@example.org',
    ADMIN_PASSWORD: 'an admin password',
    MANAGER_USERNAME: 'manager@example.org',
    MANAGER_PASSWORD: 'a manager password',
  };
  beforeAll(async () => {
    postgres = await startPostgres();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const cluster = { ECS_CLUSTER_NAME: 'reef', ECS_SERVICE_NAME: 'api' };
    server = startProgram(
      ['serve', '--port', String(port)],
      options({ DATABASE_URL: postgres.url, ...accounts, ...cluster }),
    );
    await server.prints('the API listens');
    const credentials = {
      kind: 'password',
      email: accounts.ADMIN_USERNAME,
      password: accounts.ADMIN_PASSWORD,
    } as const;
    admin = createApi({ baseUrl: url, credentials });
    await runProgram(['login', '--api', url, '--email', accounts.ADMIN_USERNAME, '--password-stdin'], {
      ...defaults(),
      stdin: accounts.ADMIN_PASSWORD,
    });
    manager = {
      API_ENDPOINT: url,
      API_USERNAME: accounts.MANAGER_USERNAME,
      API_PASSWORD: accounts.MANAGER_PASSWORD,
      AWS_REGION: 'ap-southeast-2',
      VPC_ID: 'vpc-1',
      PORT: '0',
      TEST_TASK_DEF: 'worker:1',
      TEST_CLUSTER: 'reef',
      TEST_MIN_CAPACITY: '0',
      TEST_MAX_CAPACITY: '5',
      TEST_COOLDOWN: '0',
      TEST_SENSITIVITY: '1',
      TEST_FACTOR: '1',
      TEST_SECURITY_GROUP: 'sg-1',
    };
    await writeFile(
      file('.env'),
      Object.entries(manager)
        .map(([name, value]) => `${name}='${value}'\n`)
        .join(''),
    );
    await admin.submit('TEST', { id: 1 });
  }, 60_000);
  beforeEach(() => {
    aws.tasks.clear();
    aws.rollout.after = 0;
    service = aws.addService('reef', 'api', 2);
  });
  afterAll(async () => {
    server.child.kill('SIGKILL');
    await server.finished;
    await postgres.stop();
  });
  const holder = async () => (await admin.capacityStatus()).holder;

  describe('capacity run', () => {
    it('--dry-run --once reads .env, prints the decision, launches nothing and takes no lease', async () => {
      const { code, stdout } = await run(['capacity', 'run', '--dry-run', '--once']);
      expect([code, stdout]).toEqual([0, 'worker: 1 job waits, 0 run; 0 workers exist, 1 desired: would launch 1\n']);
      expect(aws.count('ListTasks')).toBe(1);
      expect(aws.count('RunTask')).toBe(0);
      expect(await holder()).toBeNull();
    });

    it('--once launches missing workers and releases the lease', async () => {
      const { code, stdout } = await run(['capacity', 'run', '--once']);
      expect([code, stdout]).toEqual([0, 'worker: 1 job waits, 0 run; 1 worker exists, 1 desired\n']);
      expect(aws.sent('RunTask')).toMatchObject([
        { taskDefinition: 'worker:1', count: 1, startedBy: 'reefguide-capacity' },
      ]);
      expect(await holder()).toBeNull();
      await run(['capacity', 'run', '--once']);
      expect(aws.count('RunTask')).toBe(1);
    });

    it.each([[[]], [['--once']]])(
      '%p exits with 0 within five seconds of SIGTERM during a hanging RunTask, and releases the lease',
      async (args) => {
        aws.faults.hang = (action) => action === 'RunTask';
        const program = startProgram(['capacity', 'run', ...args], options());
        await until(() => aws.count('RunTask') === 1);
        expect(await holder()).not.toBeNull();
        const began = performance.now();
        program.child.kill('SIGTERM');
        expect((await program.finished).code).toBe(0);
        expect(performance.now() - began).toBeLessThan(5_000);
        expect(await holder()).toBeNull();
      },
    );

    it('names all missing variables and exits with 1', async () => {
      const { code, stderr } = await runProgram(['capacity', 'run', '--once'], {
        ...defaults(),
        cwd: path.join(directory, 'home'),
      });
      expect(code).toBe(1);
      for (const name of ['API_ENDPOINT', 'API_USERNAME', 'API_PASSWORD', 'VPC_ID', 'T_TASK_DEF'])
        expect(stderr).toContain(`${name}: `);
      expect(stderr).not.toMatch(/^\s+at /m);
    });
  });

  const direct = ['--direct', '--cluster', 'reef', '--service', 'api'];
  describe.each([
    ['through the API', [] as string[]],
    ['with --direct', direct],
  ])('cluster %s', (_, how) => {
    it('status prints counts, deployments and events', async () => {
      service.events = [{ id: '1', createdAt: 1_767_225_600, message: 'has reached a steady state.' }];
      const { code, stdout } = await run(['cluster', 'status', ...how]);
      expect(code).toBe(0);
      expect(stdout).toContain('ACTIVE: 2 of 2 tasks running, 0 pending\nPRIMARY api:7: 2 of 2 running');
      expect(stdout).toContain('has reached a steady state.');
      const { stdout: asJson } = await run(['cluster', 'status', '--json', ...how]);
      expect(JSON.parse(asJson)).toMatchObject({ runningCount: 2, serviceStatus: 'ACTIVE' });
    });

    it('scale --watch prints both counts and waits until the service is stable', async () => {
      aws.rollout.after = 1;
      const { code, stdout, stderr } = await run(['cluster', 'scale', '3', '--watch', ...how]);
      expect([code, stdout]).toEqual([0, 'Scaled from 2 to 3\n']);
      expect(stderr).toMatch(/2 of 3 running[\s\S]*3 of 3 running[\s\S]*The service is stable\.\n$/);
    });

    it('redeploy --watch follows the new deployment', async () => {
      aws.rollout.after = 1;
      const { code, stdout, stderr } = await run(['cluster', 'redeploy', '--watch', ...how]);
      expect([code, stdout]).toEqual([0, `Started a new deployment (${service.deployments[0]?.id})\n`]);
      expect(stderr).toMatch(/PRIMARY api:7: 0 of 2 running[\s\S]*ACTIVE api:7[\s\S]*The service is stable\.\n$/);
    });

    it('redeploy --watch exits with 1 when the rollout fails', async () => {
      aws.rollout.reached = ({ deployments: [primary] }) => {
        if (primary) Object.assign(primary, { rolloutState: 'FAILED', rolloutStateReason: 'tasks failed to start.' });
      };
      const { code, stderr } = await run(['cluster', 'redeploy', '--watch', ...how]);
      aws.rollout.reached = () => {};
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining('Error: The rollout failed: tasks failed to start.\n'),
      ]);
    });

    it('prints in two lines why AWS refused', async () => {
      aws.faults.refuse = () => ({ name: 'AccessDeniedException', message: 'no policy allows it' });
      const { code, stderr } = await run(['cluster', 'redeploy', ...how]);
      expect(code).toBe(1);
      expectBrief(stderr);
      expect(stderr).toContain('ecs:UpdateService on service api of cluster reef: not allowed: no policy allows it');
    });
  });
});
