import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fargateProblem } from '../../../src/aws/fargate-sizes.js';
import { SetupError } from '../../../src/contract/errors.js';
import { capacityManagerOutput, loadDeployment, parseDeployment, stackSlug } from '../../../src/deployment/load.js';
import { deploymentSchema } from '../../../src/deployment/schema.js';

const configs = fileURLToPath(new URL('../../../configs', import.meta.url));
const documentation = fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url));

let folder: string;
let sample: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reefguide-configs-'));
  sample = await readFile(path.join(configs, 'sample.json'), 'utf8');
  await writeFile(path.join(folder, 'staging.json'), sample);
  await writeFile(path.join(folder, 'broken.json'), '{ "stackName": ');
  await writeFile(path.join(folder, 'notes.txt'), '');
});
afterAll(() => rm(folder, { recursive: true }));

/** The sample with one value at a path replaced; `undefined` takes the field out. */
function changed(place: string, value: unknown): string {
  const deployment: unknown = JSON.parse(sample);
  const steps = place.split('.');
  const last = steps.pop() ?? '';
  let parent: unknown = deployment;
  for (const step of steps) parent = Reflect.get(Object(parent), step);
  Reflect.set(Object(parent), last, value);
  return JSON.stringify(deployment);
}

function problemsOf(text: string): string[] {
  try {
    parseDeployment(text, 'configs/test.json');
    return [];
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const [first, ...problems] = error.message.split('\n');
    expect(first).toBe('configs/test.json is not usable:');
    return problems.map((problem) => problem.trim());
  }
}

describe('a deployment configuration', () => {
  it('is what the sample shows', async () => {
    const deployment = await loadDeployment('sample', configs);
    expect(deployment.stackName).toBe('ReefGuide-Sample');
    expect(deployment.webAPI.mode.ecs).toBeDefined();
  });

  it('is named with or without .json', async () => {
    const [one, other] = await Promise.all([loadDeployment('staging', folder), loadDeployment('staging.json', folder)]);
    expect(one).toEqual(other);
  });

  it('has defaults for the region and the port', () => {
    const { aws, webAPI } = parseDeployment(changed('aws.region', undefined), 'test');
    expect(aws.region).toBe('ap-southeast-2');
    expect(webAPI.port).toBe(5000);
    expect(parseDeployment(changed('webAPI.port', undefined), 'test').webAPI.port).toBe(5000);
  });

  it.each([
    'db',
    'executions',
    'monitoring',
    'reefGuideAPI.memoryAlerting',
    'monitoring.alertEmail',
    'monitoring.sentryDsn',
  ])('does without %s', (place) => {
    expect(problemsOf(changed(place, undefined))).toEqual([]);
  });

  it.each(['command', 'env', 'spot', 'mountData'])('has workers that do without %s', (field) => {
    expect(problemsOf(changed(`jobSystem.workers.0.${field}`, undefined))).toEqual([]);
  });

  it('takes the first label of a domain for the whole name', () => {
    const { domains } = parseDeployment(changed('domains.webAPI', 'api'), 'test');
    expect(domains.webAPI).toBe('api.reefguide.example.com');
    expect(domains.frontend).toBe('app.reefguide.example.com');
  });

  it.each([
    ['stackName', undefined, 'stackName: expected string, which is missing'],
    ['stackName', '1-reef', 'stackName: expected up to 64 letters, digits and -, a letter first'],
    ['stackNane', 'x', 'stackNane: expected no such field'],
    [
      'hostedZone.id',
      'example',
      'hostedZone.id: expected the id of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ',
    ],
    ['aws.account', 123456789012, 'aws.account: expected string, received number'],
    ['aws.account', '1234', 'aws.account: expected an account id of 12 digits, in quotes'],
    ['aws.region', 'Sydney', 'aws.region: expected a region such as ap-southeast-2'],
    ['webAPI.port', 0, 'webAPI.port: expected a whole number from 1 to 65535'],
    ['webAPI.port', '5000', 'webAPI.port: expected number, received string'],
    ['webAPI.mode', {}, 'webAPI.mode: expected either { "lambda": {} } or { "ecs": { … } }'],
    ['webAPI.mode.lambda', {}, 'webAPI.mode: expected either { "lambda": {} } or { "ecs": { … } }'],
    ['webAPI.mode.docker', {}, 'webAPI.mode.docker: expected no such field'],
    ['webAPI.mode.ecs.memory', 8192, 'webAPI.mode.ecs.memory: expected 1024 to 4096 MiB in steps of 1024 with cpu 512'],
    [
      'webAPI.mode.ecs.autoScaling.maxCapacity',
      undefined,
      'webAPI.mode.ecs.autoScaling.maxCapacity: expected number, which is missing',
    ],
    [
      'reefGuideAPI.autoScaling.minCapacity',
      5,
      'reefGuideAPI.autoScaling.maxCapacity: expected 5 (minCapacity) or more, received 3',
    ],
    ['reefGuideAPI.cpu', 3000, 'reefGuideAPI.cpu: expected one of 256, 512, 1024, 2048, 4096, 8192, 16384 CPU units'],
    [
      'reefGuideAPI.memoryAlerting.emailAddress',
      'operators',
      'reefGuideAPI.memoryAlerting.emailAddress: expected an e-mail address',
    ],
    [
      'certificates.cloudfront',
      'arn:aws:acm:ap-southeast-2:123456789012:certificate/1',
      'certificates.cloudfront: expected an ARN of region us-east-1, received one of ap-southeast-2',
    ],
    [
      'certificates.primary',
      'arn:aws:acm:ap-southeast-2:999999999999:certificate/1',
      'certificates.primary: expected an ARN of account 123456789012, received one of 999999999999',
    ],
    [
      'certificates.primary',
      'my certificate',
      'certificates.primary: expected the ARN of a certificate: arn:aws:acm:REGION:ACCOUNT:certificate/ID',
    ],
    [
      'webAPI.apiSecretsArn',
      'arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:reefguide',
      'webAPI.apiSecretsArn: expected the whole ARN of a secret: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX',
    ],
    [
      'domains.webAPI',
      'api.elsewhere.org',
      'domains.webAPI: expected a name in the hosted zone example.com, received api.elsewhere.org',
    ],
    [
      'domains.frontend',
      'web-api.reefguide.example.com',
      'domains.frontend: expected a name of its own: domains.webAPI has it already',
    ],
    ['db.instanceSize', 'huge', 'db.instanceSize: expected one of "micro"|"small"|"medium"|"large"|"xlarge"|"2xlarge"'],
    ['db.storageGb', 10, 'db.storageGb: expected a whole number from 20 to 65536'],
    ['jobSystem.workers', [], 'jobSystem.workers: expected one worker or more'],
    [
      'jobSystem.workers.0.scaling.max',
      undefined,
      'jobSystem.workers.0.scaling.max: expected number, which is missing',
    ],
    ['jobSystem.workers.0.scaling.max', 1.5, 'jobSystem.workers.0.scaling.max: expected a whole number from 1 to 1000'],
    ['jobSystem.workers.0.scaling.min', 9, 'jobSystem.workers.0.scaling.max: expected 9 (min) or more, received 5'],
    ['jobSystem.workers.0.scaling.factor', 0, 'jobSystem.workers.0.scaling.factor: expected a number above 0'],
    [
      'jobSystem.workers.1.name',
      'Suitability',
      'jobSystem.workers.1.name: expected a name of its own: workers.0 has it already',
    ],
    [
      'jobSystem.workers.1.jobTypes',
      ['TEST', 'REGIONAL_ASSESSMENT'],
      'jobSystem.workers.1.jobTypes.1: expected a type that no other worker serves: workers.0 has REGIONAL_ASSESSMENT',
    ],
    [
      'jobSystem.workers.0.jobTypes.0',
      'suitability',
      'jobSystem.workers.0.jobTypes.0: expected a job type: upper-case letters, digits and _',
    ],
    [
      'jobSystem.workers.0.env',
      { API_PASSWORD: 'x' },
      'jobSystem.workers.0.env.API_PASSWORD: expected a variable that the stack does not set itself',
    ],
    [
      'jobSystem.workers.0.image',
      'two words',
      'jobSystem.workers.0.image: expected an image such as images.example.com/name:tag, without spaces',
    ],
    [
      'jobSystem.capacityManager.pollIntervalMs',
      100,
      'jobSystem.capacityManager.pollIntervalMs: expected a whole number from 500 to 3600000',
    ],
    ['executions.memory', 513, 'executions.memory: expected 512, 1024 or 2048 MiB with cpu 256'],
    ['monitoring.sentryDsn', 'sentry', 'monitoring.sentryDsn: expected an https URL'],
    ['webAPI', 'none', 'webAPI: expected object, received string'],
  ])('is refused when %s is %j', (place, value, problem) => {
    expect(problemsOf(changed(place, value))).toEqual([problem]);
  });

  it('is refused with every problem at once, whatever their kind', () => {
    const deployment: unknown = JSON.parse(changed('db.storageGb', 1.5));
    Reflect.set(Object(deployment), 'stackName', 7);
    Reflect.set(
      Object(Reflect.get(Object(deployment), 'certificates')),
      'cloudfront',
      'arn:aws:acm:eu-west-1:123456789012:certificate/1',
    );
    Reflect.set(Object(Reflect.get(Object(deployment), 'domains')), 'frontend', 'app.elsewhere.org');
    Reflect.set(Object(Reflect.get(Object(deployment), 'executions')), 'cpu', 1);
    expect(
      problemsOf(JSON.stringify(deployment))
        .map((problem) => problem.split(':')[0])
        .sort(),
    ).toEqual([
      'certificates.cloudfront',
      'db.storageGb',
      'domains.frontend',
      'executions.cpu',
      'executions.cpu',
      'stackName',
    ]);
  });

  it.each(['null', '[]', '7'])('is refused when it is %s', (text) => {
    expect(problemsOf(text)[0]).toMatch(/^the file: expected object/);
  });

  it.each([
    [undefined, /^CONFIG_FILE_NAME is not set/],
    ['', /^CONFIG_FILE_NAME is not set/],
    ['nowhere', /nowhere\.json: there is no such configuration$/],
    ['../secret', /expected the name of a file in/],
  ])('that is named %j is refused with the names that there are', async (name, message) => {
    const refused = await loadDeployment(name, folder).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SetupError);
    expect(refused).toMatchObject({
      message: expect.stringMatching(message),
      hint: 'Set CONFIG_FILE_NAME to one of: broken, staging.',
    });
  });

  it('that is no JSON is refused with the place', async () => {
    await expect(loadDeployment('broken', folder)).rejects.toThrow(/broken\.json: expected JSON: /);
  });
});

describe('docs/configuration.md', () => {
  it('names every field', async () => {
    const documented = await readFile(documentation, 'utf8');
    const missing = fieldsOf(deploymentSchema).filter((field) => !documented.includes(`\`${field}\``));
    expect(missing).toEqual([]);
  });
});

/** The paths of a schema's fields, as the document writes them: `jobSystem.workers[].scaling.max`. */
function fieldsOf(schema: unknown, place = ''): string[] {
  const definition: unknown = Reflect.get(Object(Reflect.get(Object(schema), '_zod') ?? {}), 'def');
  const part = (name: string): unknown => Reflect.get(Object(definition), name);
  if (part('type') === 'object') {
    return Object.entries(Object(part('shape'))).flatMap(([name, field]) => {
      const whole = place === '' ? name : `${place}.${name}`;
      return [whole, ...fieldsOf(field, whole)];
    });
  }
  if (part('type') === 'array') return fieldsOf(part('element'), `${place}[]`);
  const inner = part('innerType') ?? part('in');
  return inner === undefined ? [] : fieldsOf(inner, place);
}

describe('stackSlug', () => {
  it.each([
    ['ReefGuide-Sample', 'reefguidesample'],
    ['reefguide', 'reefguide'],
    ['My.Stack_2', 'mystack2'],
    ['2nd-Stack', 'n2ndstack'],
    ['-2nd', 'n2nd'],
    ['Größe', 'gre'],
    ['', ''],
  ])('%j is %j', (name, slug) => {
    expect(stackSlug(name)).toBe(slug);
    expect(capacityManagerOutput(name)).toBe(`${slug}capacityManagerTaskDfn`);
  });
});

describe('fargateProblem', () => {
  it.each([
    [256, 512],
    [256, 2048],
    [512, 4096],
    [1024, 2048],
    [4096, 30_720],
    [8192, 16_384],
    [16_384, 122_880],
  ])('accepts cpu %d with %d MiB', (cpu, memory) => {
    expect(fargateProblem(cpu, memory)).toBeUndefined();
  });

  it.each([
    [128, 512, 'cpu'],
    [256, 4096, 'memory'],
    [512, 512, 'memory'],
    [1024, 2500, 'memory'],
    [8192, 17_408, 'memory'],
    [16_384, 131_072, 'memory'],
  ])('refuses cpu %d with %d MiB', (cpu, memory, field) => {
    expect(fargateProblem(cpu, memory)?.field).toBe(field);
  });
});
