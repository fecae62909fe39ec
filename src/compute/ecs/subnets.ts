import type { Aws } from '../../aws/clients.js';
import { callAws } from '../../aws/errors.js';
import { SetupError } from '../../contract/errors.js';

const keptMs = 5 * 60_000;
/** RunTask takes no more. */
const mostSubnets = 16;

/** The public subnets of a VPC, asked for once in five minutes; none is an error, for a task there could not reach the API. */
export function createPublicSubnets(aws: Pick<Aws, 'ec2'>, vpcId: string, now: () => number): () => Promise<string[]> {
  let known: { ids: Promise<string[]>; at: number } | undefined;

  const ask = async (): Promise<string[]> => {
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
    if (ids.length === 0) {
      throw new SetupError(`The VPC ${vpcId} has no public subnet`, {
        hint: 'Check VPC_ID and AWS_REGION; workers need subnets with map-public-ip-on-launch.',
      });
    }
    return ids.slice(0, mostSubnets);
  };

  return () => {
    if (!known || now() - known.at >= keptMs) {
      const ids = ask();
      known = { ids, at: now() };
      // A failure is not kept: the next launch asks again.
      ids.catch(() => {
        if (known?.ids === ids) known = undefined;
      });
    }
    return known.ids;
  };
}
