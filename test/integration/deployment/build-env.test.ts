import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import { createAws } from '../../../src/aws/clients.js';
import { buildEnv } from '../../../src/deployment/build-env.js';
import { type FakeAws, startFakeAws } from '../../support/fakes/aws.js';

const hidden = 'hunter2 \'and\' "more"\nlines';
const definition = 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/manager:3';
const before = { ...process.env };
let aws: FakeAws;
let reported: string[];
beforeEach(async () => {
  aws = await startFakeAws();
  Object.assign(process.env, aws.env);
  reported = [];
  aws.stacks.set('2-Reef', { Other: 'x', n2reefcapacityManagerTaskDfn: definition });
});
afterEach(async () => {
  await aws.close();
  process.env = { ...before };
});

const build = (stackName = '2-Reef') =>
  buildEnv({ aws: createAws(), stackName, report: (level, message) => reported.push(`${level} ${message}`) });

/** Defines an essential container beside a sidecar. */
const define = (environment: Record<string, string>, secrets: Record<string, string> = {}) =>
  aws.taskDefinitions.set(definition, [
    { name: 'sidecar', essential: false, environment: [{ name: 'NOT', value: 'mine' }] },
    {
      name: 'manager',
      environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
      secrets: Object.entries(secrets).map(([name, valueFrom]) => ({ name, valueFrom })),
    },
  ]);

describe('buildEnv', () => {
  it('writes variables and the values of secrets', async () => {
    const account = aws.putSecret('manager', JSON.stringify({ username: 'm@example.org', password: hidden }));
    const whole = aws.putSecret('dsn', 'https://dsn.example.org/1');
    define(
      { API_ENDPOINT: 'https://api.example.org', EMPTY: '' },
      { API_USERNAME: `${account}:username::`, API_PASSWORD: `${account}:password`, SENTRY_DSN: whole },
    );
    const { text, missing } = await build();
    expect(missing).toEqual([]);
    expect(text).toMatch(`# Environment of the capacity manager of stack 2-Reef, from ${definition}\nAPI_ENDPOINT=`);
    expect(parse(text)).toEqual({
      API_ENDPOINT: 'https://api.example.org',
      EMPTY: '',
      API_USERNAME: 'm@example.org',
      API_PASSWORD: hidden,
      SENTRY_DSN: 'https://dsn.example.org/1',
    });
    expect(aws.count('GetSecretValue')).toBe(2);
    expect(reported.filter((line) => line.startsWith('WARN'))).toEqual([]);
    expect(reported.join()).not.toMatch(/hunter2|m@example/);
  });

  it('comments out variables without a value, with the reason and without any part of a secret', async () => {
    const account = aws.putSecret('manager', JSON.stringify({ password: hidden }));
    const text = aws.putSecret('text', hidden);
    const unquotable = aws.putSecret('unquotable', `#${hidden}\`'"`);
    define(
      { A: '1' },
      {
        API_USERNAME: `${account}:username::`,
        NOT_JSON: `${text}:field`,
        GONE: aws.secretArn('gone'),
        PARAMETER: 'arn:aws:ssm:ap-southeast-2:123456789012:parameter/x',
        UNQUOTABLE: unquotable,
      },
    );
    const { text: written, missing } = await build();
    expect(missing).toEqual(['API_USERNAME', 'NOT_JSON', 'GONE', 'PARAMETER', 'UNQUOTABLE']);
    expect(written.split('\n').slice(1)).toEqual([
      "A='1'",
      '# API_USERNAME= (left out: the secret has no field username)',
      '# NOT_JSON= (left out: the secret is not JSON)',
      expect.stringMatching(/^# GONE= \(left out: secretsmanager:GetSecretValue on arn:.*gone-AbCdEf: not found: /),
      expect.stringMatching(/^# PARAMETER= \(left out: not a reference to a Secrets Manager secret: arn:aws:ssm/),
      '# UNQUOTABLE= (left out: no quotes of an .env file can enclose the value)',
      '',
    ]);
    expect(parse(written)).toEqual({ A: '1' });
    expect(reported.filter((line) => line.startsWith('WARN'))).toHaveLength(5);
    expect(reported.join() + written).not.toContain('hunter2');
  });

  it('reports action, stack and remedy for a missing stack', async () => {
    await expect(build('nothing')).rejects.toMatchObject({
      message: expect.stringMatching(/^cloudformation:DescribeStacks on stack nothing: not found: /),
      hint: expect.stringContaining('AWS_REGION'),
    });
  });

  it('lists the outputs of a stack without the expected output', async () => {
    aws.stacks.set('other', { One: '1', Two: '2' });
    await expect(build('other')).rejects.toThrow(
      'The stack other has no output othercapacityManagerTaskDfn. Its outputs: One, Two',
    );
  });

  it('names a missing task definition', async () => {
    await expect(build()).rejects.toThrow(`ecs:DescribeTaskDefinition on task definition ${definition}: Unable`);
  });
});
