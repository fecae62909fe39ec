import { LRUCache } from 'lru-cache';
import type { Aws } from '../../aws/clients.js';
import { callAws } from '../../aws/errors.js';
import { SetupError } from '../../contract/errors.js';

const ttlMs = 5 * 60_000;
const maxSubnets = 16;

/** Returns a function to read the public subnets of a VPC, at most once in five minutes. Failures are not cached. */
export function createPublicSubnets(aws: Pick<Aws, 'ec2'>, vpcId: string, now: () => number): () => Promise<string[]> {
  const cache = new LRUCache<string, string[]>({
    max: 1,
    ttl: ttlMs,
    ttlResolution: 0,
    perf: { now },
    fetchMethod: () => describePublicSubnets(aws, vpcId),
  });
  return () => cache.forceFetch(vpcId);
}

/** Returns at most 16 ids. Throws a SetupError when there is none, because a task there could not reach the API. */
async function describePublicSubnets(aws: Pick<Aws, 'ec2'>, vpcId: string): Promise<string[]> {
  const { DescribeSubnetsCommand } = await import('@aws-sdk/client-ec2');
  const command = new DescribeSubnetsCommand({
    Filters: [
      { Name: 'vpc-id', Values: [vpcId] },
      { Name: 'map-public-ip-on-launch', Values: ['true'] },
    ],
  });
  const { Subnets = [] } = await callAws({ action: 'ec2:DescribeSubnets', resource: vpcId }, async () =>
    (await aws.ec2()).send(command),
  );
  const ids = Subnets.flatMap(({ SubnetId }) => SubnetId ?? []).sort();
  if (ids.length === 0)
    throw new SetupError(`The VPC ${vpcId} has no public subnet`, {
      hint: 'Check VPC_ID and AWS_REGION; workers need subnets with map-public-ip-on-launch.',
    });
  return ids.slice(0, maxSubnets);
}
