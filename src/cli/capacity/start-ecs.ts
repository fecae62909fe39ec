import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createAws } from '../../aws/clients.js';
import type { EcsManager } from '../../capacity/manager/ecs-groups.js';
import { createApi } from '../../client/api.js';
import { sleep } from '../../client/sleep.js';
import { EcsCompute } from '../../compute/ecs/provider.js';
import { type CapacityOptions, RunningCapacity } from './running-capacity.js';

/** Bounds of a stop in which an AWS call hangs: the call ends after the first, the lease is released within the second. */
const finishWithinMs = 2_500;
const releaseWithinMs = 1_500;

/** Starts the capacity manager with workers on AWS ECS. */
export function startEcsCapacity(settings: EcsManager, options: CapacityOptions): RunningCapacity {
  const { environment, groups, warnings } = settings;
  const { API_USERNAME: email, API_PASSWORD: password } = environment;
  const { log } = options;
  for (const warning of warnings) log.warn(warning);
  const aws = createAws({ region: environment.AWS_REGION });
  // Load the SDK before the first job waits. The calls report errors.
  void Promise.allSettled([aws.ecs(), aws.ec2()]);
  const compute = new EcsCompute({
    aws,
    definitions: groups.map((group) => ({ ...group, group: group.name })),
    vpcId: environment.VPC_ID,
    log,
    now: Date.now,
  });
  return new RunningCapacity({
    ...options,
    api: createApi({ baseUrl: environment.API_ENDPOINT, credentials: { kind: 'password', email, password } }),
    compute,
    groups,
    holder: `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
    pollIntervalMs: environment.POLL_INTERVAL_MS,
    async close(finished) {
      await waitAtMost(finished, finishWithinMs);
      await compute.close();
      await waitAtMost(finished, releaseWithinMs);
    },
  });
}

async function waitAtMost(promise: Promise<void>, ms: number): Promise<void> {
  const settled = new AbortController();
  await Promise.race([promise, sleep(ms, settled.signal)]);
  settled.abort();
}
