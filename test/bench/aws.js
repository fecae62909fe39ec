// Measures the capacity manager on ECS, against the fake of ECS in a process of its own, and in simulated time.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadFake } from './fake.js';
import { root, start } from './system.js';

const credentials = {
  AWS_ACCESS_KEY_ID: 'AKIABENCH',
  AWS_SECRET_ACCESS_KEY: 'a secret of the bench',
  AWS_REGION: 'ap-southeast-2',
};

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

async function forkFakeEcs() {
  const child = fork(here('./fake-ecs.js'));
  const [{ url }] = await once(child, 'message');
  const ask = async (message) => {
    child.send(message);
    const [answer] = await once(child, 'message');
    return answer;
  };
  return { url, ask, stop: () => child.kill() };
}

/** Returns the most milliseconds from a submitted job to `RunTask`, by a manager that waits for demand. */
export async function jobToLaunch(system, launches = 10) {
  const ecs = await forkFakeEcs();
  const { manager } = system.credentials;
  const group = {
    CLUSTER: 'reef',
    MIN_CAPACITY: '0',
    MAX_CAPACITY: '1000',
    COOLDOWN: '0',
    SENSITIVITY: '100',
    FACTOR: '1',
  };
  const variables = { TASK_DEF: 'bench:1', SECURITY_GROUP: 'sg-1', ...group };
  const running = start(
    ['capacity', 'run'],
    {
      ...credentials,
      ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [`TEST_${name}`, value])),
      AWS_ENDPOINT_URL: ecs.url,
      API_ENDPOINT: system.url,
      API_USERNAME: manager.email,
      API_PASSWORD: manager.password,
      VPC_ID: 'vpc-1',
      PORT: '0',
    },
    (output) => /capacity manager runs/.test(output),
  );
  try {
    await running.ready;
    // The manager has taken its first turn, and waits for the demand to change.
    await ecs.ask({ until: 'ListTasks', above: 0 });
    const times = [];
    const submitted = [];
    for (let n = 0; n < launches; n += 1) {
      const earlier = (await ecs.ask({ count: 'RunTask' })).count;
      const began = performance.now();
      const { jobId } = await system.admin.ok('POST', '/api/jobs', { type: 'TEST', inputPayload: { id: n } });
      await ecs.ask({ until: 'RunTask', above: earlier });
      times.push(performance.now() - began);
      submitted.push(jobId);
    }
    // Later benchmarks need an empty queue.
    for (const id of submitted) await system.admin.ok('POST', `/api/jobs/${id}/cancel`);
    return Math.max(...times);
  } finally {
    await running.stop();
    ecs.stop();
  }
}

/** Returns CPU seconds and describing calls of one turn with 10,000 waiting jobs, 20 groups and 500 running tasks. */
export async function oneTurn() {
  const ecs = await forkFakeEcs();
  try {
    await ecs.ask({ tasks: 500, groups: 20 });
    const turns = 2;
    const measured = JSON.parse(
      execFileSync(process.execPath, [here('./one-turn.js')], {
        encoding: 'utf8',
        env: { ...process.env, ...credentials, AWS_ENDPOINT_URL: ecs.url },
      }),
    );
    const list = (await ecs.ask({ count: 'ListTasks' })).count;
    const describe = (await ecs.ask({ count: 'DescribeTasks' })).count;
    return { ...measured, describing: (list + describe) / turns };
  } finally {
    ecs.stop();
  }
}

/** Returns megabytes at the second and the last hour of a simulated day of bursts, and timers that are left. */
export function simulatedDay() {
  return JSON.parse(execFileSync(process.execPath, ['--expose-gc', here('./simulated-day.js')], { encoding: 'utf8' }));
}

/** Returns `GetSecretValue` calls and milliseconds for the .env of a task definition with 20 variables of `distinct` secrets. */
export async function buildEnvCalls(distinct) {
  const [{ startFakeAws }, { buildEnv }, { createAws }] = await Promise.all([
    loadFake('aws'),
    import(`${root}/dist/deployment/build-env.js`),
    import(`${root}/dist/aws/clients.js`),
  ]);
  const aws = await startFakeAws();
  const before = { ...process.env };
  Object.assign(process.env, aws.env);
  try {
    const arns = Array.from({ length: distinct }, (_, n) => aws.putSecret(`bench-${n}`, '{"field":"value"}'));
    aws.stacks.set('bench', { benchcapacityManagerTaskDfn: 'bench:1' });
    const secrets = Array.from({ length: 20 }, (_, n) => ({
      name: `V${n}`,
      valueFrom: `${arns[n % distinct]}:field::`,
    }));
    aws.taskDefinitions.set('bench:1', [{ name: 'main', secrets }]);
    const began = performance.now();
    const { missing } = await buildEnv({ aws: createAws(), stackName: 'bench', report() {} });
    const ms = performance.now() - began;
    if (missing.length > 0) throw new Error(`left out: ${missing}`);
    return { calls: aws.calls.filter(({ action }) => action === 'GetSecretValue').length, ms };
  } finally {
    await aws.close();
    for (const name of Object.keys(aws.env)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

/** Seconds of `npx cdk synth` of the sample configuration. */
export function synthSeconds() {
  const began = performance.now();
  execFileSync(path.join(root, 'node_modules/.bin/cdk'), ['synth', '--quiet', '--output', path.join(root, 'cdk.out')], {
    cwd: root,
    stdio: 'ignore',
    env: { ...process.env, CONFIG_FILE_NAME: 'sample' },
  });
  return (performance.now() - began) / 1000;
}
