import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SetupError } from '../../../src/contract/errors.js';
import { capacityManagerOutput, loadDeployment, parseDeployment, stackSlug } from '../../../src/deployment/load.js';
import { deploymentSchema } from '../../../src/deployment/schema.js';
import { sampleWith } from '../../support/sample-deployment.js';

const configs = fileURLToPath(new URL('../../../configs', import.meta.url));
const documentation = fileURLToPath(new URL('../../../docs/configuration.md', import.meta.url));

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'reefguide-configs-'));
  await writeFile(path.join(directory, 'staging.json'), sampleWith());
  await writeFile(path.join(directory, 'broken.json'), '{ "stackName": ');
  await writeFile(path.join(directory, 'notes.txt'), '');
});
afterAll(() => rm(directory, { recursive: true }));

function getProblems(text: string): string[] {
  try {
    parseDeployment(text, 'configs/test.json');
    return [];
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const [first, ...problems] = error.message.split('\n');
    expect(first).toBe('Invalid configuration configs/test.json:');
    return problems.map((problem) => problem.trim());
  }
}

describe('deployment configuration', () => {
  it('accepts the sample', async () => {
    const deployment = await loadDeployment('sample', configs);
    expect(deployment.stackName).toBe('ReefGuide-Sample');
    expect(deployment.webAPI.mode.ecs).toBeDefined();
  });

  it('loads a name with or without .json', async () => {
    const [one, other] = await Promise.all([
      loadDeployment('staging', directory),
      loadDeployment('staging.json', directory),
    ]);
    expect(one).toEqual(other);
  });

  it('fills in defaults of region and port', () => {
    const { aws, webAPI } = parseDeployment(sampleWith({ 'aws.region': undefined }), 'test');
    expect(aws.region).toBe('ap-southeast-2');
    expect(webAPI.port).toBe(5000);
    expect(parseDeployment(sampleWith({ 'webAPI.port': undefined }), 'test').webAPI.port).toBe(5000);
  });

  it.each([
    'db',
    'executions',
    'monitoring',
    'reefGuideAPI.memoryAlerting',
    'monitoring.alertEmail',
    'monitoring.sentryDsn',
  ])('accepts a file without %s', (field) => {
    expect(getProblems(sampleWith({ [field]: undefined }))).toEqual([]);
  });

  it.each(['command', 'env', 'spot', 'mountData'])('accepts workers without %s', (field) => {
    expect(getProblems(sampleWith({ [`jobSystem.workers.0.${field}`]: undefined }))).toEqual([]);
  });

  it('completes the first label of a domain to the full name', () => {
    const { domains } = parseDeployment(sampleWith({ 'domains.webAPI': 'api' }), 'test');
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
      'webAPI.apiSecretsArn: expected the ARN of a secret with its suffix: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX',
    ],
    [
      'domains.webAPI',
      'api.elsewhere.org',
      'domains.webAPI: expected a name in the hosted zone example.com, received api.elsewhere.org',
    ],
    [
      'domains.frontend',
      'web-api.reefguide.example.com',
      'domains.frontend: expected a distinct name: domains.webAPI is the same',
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
      'jobSystem.workers.1.name: expected a distinct name: workers.0 is the same',
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
  ])('rejects %s when set to %j', (field, value, problem) => {
    expect(getProblems(sampleWith({ [field]: value }))).toEqual([problem]);
  });

  it('reports problems of every kind at once', () => {
    const text = sampleWith({
      'db.storageGb': 1.5,
      stackName: 7,
      'certificates.cloudfront': 'arn:aws:acm:eu-west-1:123456789012:certificate/1',
      'domains.frontend': 'app.elsewhere.org',
      'executions.cpu': 1,
    });
    const fields = getProblems(text).map((problem) => problem.split(':')[0]);
    expect(fields.sort()).toEqual([
      'certificates.cloudfront',
      'db.storageGb',
      'domains.frontend',
      'executions.cpu',
      'executions.cpu',
      'stackName',
    ]);
  });

  it.each(['null', '[]', '7'])('rejects %s instead of an object', (text) => {
    expect(getProblems(text)[0]).toMatch(/^the file: expected object/);
  });

  it.each([
    [undefined, /^CONFIG_FILE_NAME is not set/],
    ['', /^CONFIG_FILE_NAME is not set/],
    ['nowhere', /^No such configuration: .*nowhere\.json$/],
    ['../secret', /^Invalid CONFIG_FILE_NAME "..\/secret": expected the name of a file in/],
  ])('rejects the name %j and lists the existing names', async (name, message) => {
    const error = await loadDeployment(name, directory).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(SetupError);
    expect(error).toMatchObject({
      message: expect.stringMatching(message),
      hint: 'Set CONFIG_FILE_NAME to one of: broken, staging.',
    });
  });

  it('rejects a file that is not JSON', async () => {
    await expect(loadDeployment('broken', directory)).rejects.toThrow(
      /^Invalid configuration .*broken\.json: expected JSON: /,
    );
  });
});

describe('docs/configuration.md', () => {
  it('names every field', async () => {
    const documented = await readFile(documentation, 'utf8');
    const missing = listFields(deploymentSchema).filter((field) => !documented.includes(`\`${field}\``));
    expect(missing).toEqual([]);
  });
});

/** Returns the paths of a schema's fields as in the document, for example `jobSystem.workers[].scaling.max`. */
function listFields(schema: unknown, parent = ''): string[] {
  const definition: unknown = Reflect.get(Object(Reflect.get(Object(schema), '_zod') ?? {}), 'def');
  const part = (name: string): unknown => Reflect.get(Object(definition), name);
  if (part('type') === 'object') {
    return Object.entries(Object(part('shape'))).flatMap(([name, field]) => {
      const whole = parent === '' ? name : `${parent}.${name}`;
      return [whole, ...listFields(field, whole)];
    });
  }
  if (part('type') === 'array') return listFields(part('element'), `${parent}[]`);
  const inner = part('innerType') ?? part('in');
  return inner === undefined ? [] : listFields(inner, parent);
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
  ])('turns %j into %j', (name, slug) => {
    expect(stackSlug(name)).toBe(slug);
    expect(capacityManagerOutput(name)).toBe(`${slug}capacityManagerTaskDfn`);
  });
});
