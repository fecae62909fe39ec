import { beforeAll, describe, expect, it } from '@jest/globals';
import { parseEcsManager } from '../../../src/capacity/manager/ecs-groups.js';
import { ecsManagerEnvironment, jobTypeVariables } from '../../../src/environment/capacity-manager.js';
import {
  getContainer,
  getOnlyResource,
  type Synthesised,
  synthesiseVariants,
  toText,
  type Variant,
  variantNames,
} from '../../support/templates.js';

let all: Record<Variant, Synthesised>;
beforeAll(async () => {
  all = await synthesiseVariants();
}, 120_000);

const types = ['SUITABILITY_ASSESSMENT', 'REGIONAL_ASSESSMENT', 'TEST'];

/** Returns a value with references resolved as in a deployment, for example `<Vpc01234567>` → `vpc-0123456789abcdef0`. */
function resolve(value: unknown): string {
  return toText(value)
    .replace(/^<\w*Vpc[0-9A-F]{8}>$/, 'vpc-0123456789abcdef0')
    .replace(/^<\w*Group\w*\.GroupId>$/, 'sg-0123456789abcdef0')
    .replace(/^<\w*Cluster\w*\.Arn>$/, 'arn:aws:ecs:ap-southeast-2:123456789012:cluster/reefguide')
    .replace(/^<JobSystem(suitability|test)\w*>$/, 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/$1:1');
}

/** Returns environment and secrets of the capacity manager's container with references resolved. */
function getManagerEnvironment(variant: Variant): Record<string, string> {
  const task = getOnlyResource(all[variant].template, 'AWS::ECS::TaskDefinition', 'CapacityManager');
  const { environment, secrets } = getContainer(task);
  return {
    ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, resolve(value)])),
    ...Object.fromEntries(Object.keys(secrets).map((name) => [name, 'from Secrets Manager'])),
  };
}

const expected = [
  ...Object.keys(ecsManagerEnvironment.shape),
  ...types.flatMap((type) => Object.keys(jobTypeVariables.shape).map((name) => `${type}_${name}`)),
];

describe("capacity manager's container", () => {
  it('has exactly the variables that the manager reads', () => {
    expect(Object.keys(getManagerEnvironment('on ECS with a database')).sort()).toEqual(expected.toSorted());
  });

  it('lacks only the variable that is not configured', () => {
    const set = Object.keys(getManagerEnvironment('on Lambda without a database'));
    expect(expected.filter((name) => !set.includes(name))).toEqual(['SENTRY_DSN']);
  });

  it.each(variantNames)('has variables that the manager accepts %s', (variant) => {
    const { environment, groups } = parseEcsManager(getManagerEnvironment(variant));
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

  it('receives the account as secrets', () => {
    const task = getOnlyResource(all['on ECS with a database'].template, 'AWS::ECS::TaskDefinition', 'CapacityManager');
    const { secrets } = getContainer(task);
    expect(Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, toText(value)]))).toEqual({
      API_USERNAME: expect.stringMatching(/^<AccountsManager\w+>:username::$/),
      API_PASSWORD: expect.stringMatching(/^<AccountsManager\w+>:password::$/),
    });
  });
});
