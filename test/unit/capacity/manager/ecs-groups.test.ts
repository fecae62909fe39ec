import { describe, expect, it } from '@jest/globals';
import { parseEcsManager } from '../../../../src/capacity/manager/ecs-groups.js';

const base = {
  API_ENDPOINT: 'https://api.example.com',
  API_USERNAME: 'manager@example.com',
  API_PASSWORD: 'a password',
  AWS_REGION: 'ap-southeast-2',
  VPC_ID: 'vpc-1',
};

const variablesFor = (type: string, changes: Record<string, string> = {}): Record<string, string> => ({
  [`${type}_TASK_DEF`]: 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/reef:3',
  [`${type}_CLUSTER`]: 'reef',
  [`${type}_MIN_CAPACITY`]: '0',
  [`${type}_MAX_CAPACITY`]: '5',
  [`${type}_COOLDOWN`]: '60',
  [`${type}_SENSITIVITY`]: '1.7',
  [`${type}_FACTOR`]: '10.5',
  [`${type}_SECURITY_GROUP`]: 'sg-1',
  ...changes,
});

function readProblems(env: Record<string, string>): string {
  try {
    parseEcsManager(env);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  throw new Error('no problem was reported');
}

describe('parseEcsManager', () => {
  it('has defaults for optional variables', () => {
    const { environment } = parseEcsManager({ ...base, ...variablesFor('TEST') });
    expect(environment).toMatchObject({ POLL_INTERVAL_MS: 3000, PORT: 3000, LOG_LEVEL: 'info' });
  });

  it('describes a group by its task definition', () => {
    const { groups, warnings } = parseEcsManager({ ...base, ...variablesFor('TEST', { TEST_SPOT: 'true' }) });
    expect(warnings).toEqual([]);
    expect(groups).toEqual([
      {
        name: 'reef',
        family: 'reef',
        jobTypes: ['TEST'],
        taskDefinition: 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/reef:3',
        cluster: 'reef',
        securityGroup: 'sg-1',
        spot: true,
        scaling: {
          min: 0,
          max: 5,
          cooldownSeconds: 60,
          sensitivity: 1.7,
          factor: 10.5,
          policy: { kind: 'logarithmic' },
        },
      },
    ]);
  });

  it('makes one group of the types that share a task definition', () => {
    const { groups } = parseEcsManager({
      ...base,
      ...variablesFor('SUITABILITY_ASSESSMENT'),
      ...variablesFor('REGIONAL_ASSESSMENT'),
      ...variablesFor('TEST', { TEST_TASK_DEF: 'other:1' }),
    });
    expect(groups.map(({ name, jobTypes }) => [name, jobTypes])).toEqual([
      ['reef', ['REGIONAL_ASSESSMENT', 'SUITABILITY_ASSESSMENT']],
      ['other', ['TEST']],
    ]);
  });

  it('names groups of one family in two clusters by their clusters', () => {
    const { groups } = parseEcsManager({
      ...base,
      ...variablesFor('A'),
      ...variablesFor('B', { B_CLUSTER: 'arn:aws:ecs:ap-southeast-2:123456789012:cluster/second' }),
    });
    expect(groups.map(({ name }) => name)).toEqual(['reef/reef', 'second/reef']);
  });

  it('takes the most generous value where types that share workers differ, and warns', () => {
    const { groups, warnings } = parseEcsManager({
      ...base,
      ...variablesFor('A', { A_MAX_CAPACITY: '3', A_FACTOR: '2', A_COOLDOWN: '5' }),
      ...variablesFor('B', { B_MIN_CAPACITY: '1', B_SENSITIVITY: '4' }),
    });
    expect(groups[0]?.scaling).toMatchObject({ min: 1, max: 5, factor: 2, sensitivity: 4, cooldownSeconds: 5 });
    expect(warnings).toHaveLength(5);
    expect(warnings).toContainEqual(
      expect.stringMatching(/^A_MAX_CAPACITY, B_MAX_CAPACITY differ.*: 5 holds for all$/),
    );
  });

  it('reports all problems together, each with the name of its variable and without its value', () => {
    const text = readProblems({
      API_ENDPOINT: 'not a url',
      API_PASSWORD: 'hunter2-hunter2',
      POLL_INTERVAL_MS: '499',
      VPC_ID: 'net-1',
      ...variablesFor('A', { A_CLUSTER: '', A_MAX_CAPACITY: 'many', A_FACTOR: '0', A_SECURITY_GROUP: 'wide open' }),
      B_TASK_DEF: 'b:1',
    });
    for (const name of [
      'API_ENDPOINT',
      'API_USERNAME',
      'AWS_REGION',
      'VPC_ID',
      'POLL_INTERVAL_MS',
      'A_CLUSTER',
      'A_MAX_CAPACITY',
      'A_FACTOR',
      'A_SECURITY_GROUP',
      'B_CLUSTER',
      'B_MIN_CAPACITY',
      'B_MAX_CAPACITY',
      'B_COOLDOWN',
      'B_SENSITIVITY',
      'B_FACTOR',
      'B_SECURITY_GROUP',
    ])
      expect(text).toContain(`\n  ${name}: `);
    expect(text).not.toMatch(/hunter2|many|wide open|not a url/);
  });

  it.each([
    ['no job type', {}, 'T_TASK_DEF: no job type has variables'],
    [
      'a minimum above the maximum',
      variablesFor('A', { A_MIN_CAPACITY: '6' }),
      'A_MIN_CAPACITY: is above A_MAX_CAPACITY',
    ],
    ['a fraction of a worker', variablesFor('A', { A_MAX_CAPACITY: '1.5' }), 'A_MAX_CAPACITY: '],
    ['an odd SPOT', variablesFor('A', { A_SPOT: 'yes' }), 'A_SPOT: expected true or false'],
    [
      'two revisions of one family',
      { ...variablesFor('A'), ...variablesFor('B', { B_TASK_DEF: 'reef:4' }) },
      'B_TASK_DEF: differs from A_TASK_DEF',
    ],
    [
      'two security groups of one family',
      { ...variablesFor('A'), ...variablesFor('B', { B_SECURITY_GROUP: 'sg-2' }) },
      'B_SECURITY_GROUP: differs',
    ],
  ])('refuses %s', (_, env, message) => {
    expect(readProblems({ ...base, ...env })).toContain(message);
  });
});
