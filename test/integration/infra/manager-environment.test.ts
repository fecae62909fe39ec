import { beforeAll, describe, expect, it } from '@jest/globals';
import { parseEcsManager } from '../../../src/capacity/manager/ecs-groups.js';
import { ecsManagerEnvironment, jobTypeVariables } from '../../../src/environment/capacity-manager.js';
import {
  containerOf,
  flat,
  onlyResource,
  type Synthesised,
  synthesiseVariants,
  type Variant,
  variantNames,
} from '../../support/templates.js';

let all: Record<Variant, Synthesised>;
beforeAll(async () => {
  all = await synthesiseVariants();
}, 120_000);

const types = ['SUITABILITY_ASSESSMENT', 'REGIONAL_ASSESSMENT', 'TEST'];

/** What a reference becomes when the stack is deployed. */
function deployed(value: unknown): string {
  return flat(value)
    .replace(/^<\w*Vpc[0-9A-F]{8}>$/, 'vpc-0123456789abcdef0')
    .replace(/^<\w*Group\w*\.GroupId>$/, 'sg-0123456789abcdef0')
    .replace(/^<\w*Cluster\w*\.Arn>$/, 'arn:aws:ecs:ap-southeast-2:123456789012:cluster/reefguide')
    .replace(/^<JobSystem(suitability|test)\w*>$/, 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/$1:1');
}

/** Environment and secrets of the capacity manager's container, references replaced. */
function managerEnvironment(variant: Variant): Record<string, string> {
  const task = onlyResource(all[variant].template, 'AWS::ECS::TaskDefinition', 'CapacityManager');
  const { environment, secrets } = containerOf(task);
  return {
    ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, deployed(value)])),
    ...Object.fromEntries(Object.keys(secrets).map((name) => [name, 'from Secrets Manager'])),
  };
}

const expected = [
  ...Object.keys(ecsManagerEnvironment.shape),
  ...types.flatMap((type) => Object.keys(jobTypeVariables.shape).map((name) => `${type}_${name}`)),
];

describe("the capacity manager's container", () => {
  it('sets exactly the variables that the manager reads', () => {
    expect(Object.keys(managerEnvironment('on ECS with a database')).sort()).toEqual(expected.toSorted());
  });

  it('leaves out no variable but the one that is not configured', () => {
    const set = Object.keys(managerEnvironment('on Lambda without a database'));
    expect(expected.filter((name) => !set.includes(name))).toEqual(['SENTRY_DSN']);
  });

  it.each(variantNames)('is understood by the manager %s', (variant) => {
    const { environment, groups } = parseEcsManager(managerEnvironment(variant));
    expect(environment).toMatchObject({
      API_ENDPOINT: 'https://web-api.reefguide.example.com',
      POLL_INTERVAL_MS: 3000,
      PORT: 3000,
      VPC_ID: 'vpc-0123456789abcdef0',
    });
    expect(groups).toHaveLength(2);
    expect(groups).toEqual(
      expect.arrayContaining([expect.objectContaining({ taskDefinition: expect.stringContaining('suitability') })]),
    );
  });

  it('gets the account as secrets', () => {
    const task = onlyResource(all['on ECS with a database'].template, 'AWS::ECS::TaskDefinition', 'CapacityManager');
    const { secrets } = containerOf(task);
    expect(Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, flat(value)]))).toEqual({
      API_USERNAME: expect.stringMatching(/^<AccountsManager\w+>:username::$/),
      API_PASSWORD: expect.stringMatching(/^<AccountsManager\w+>:password::$/),
    });
  });
});
