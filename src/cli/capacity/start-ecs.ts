import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { createAws } from '../../aws/clients.js';
import { toDryRunCompute, toReadOnlyApi } from '../../capacity/manager/dry-run.js';
import type { EcsManager } from '../../capacity/manager/ecs-groups.js';
import { CapacityManager, type ManagerStatus } from '../../capacity/manager/manager.js';
import { createApi } from '../../client/api.js';
import { EcsCompute } from '../../compute/ecs/provider.js';
import { sleep } from '../../platform/sleep.js';
import { type Capacity, stoppable } from './running-capacity.js';

export interface EcsCapacityOptions {
  settings: EcsManager;
  log: Logger;
  dryRun: boolean;
  onTurn?: ((status: ManagerStatus) => void) | undefined;
}

/** A call that hangs must not hold up an exit: it is ended after the first, and the lease given up within the second. */
const finishWithinMs = 2_500;
const releaseWithinMs = 1_500;

/** The capacity manager with workers on AWS ECS. */
export function startEcsCapacity({ settings, log, dryRun, onTurn }: EcsCapacityOptions): Capacity {
  const { environment, groups, warnings } = settings;
  for (const warning of warnings) log.warn(warning);
  const api = createApi({
    baseUrl: environment.API_ENDPOINT,
    credentials: { kind: 'password', email: environment.API_USERNAME, password: environment.API_PASSWORD },
  });
  const aws = createAws({ region: environment.AWS_REGION });
  // Loaded now rather than when the first job waits; what goes wrong is told by the calls.
  void Promise.allSettled([aws.ecs(), aws.ec2()]);
  const compute = new EcsCompute({
    aws,
    definitions: groups.map((group) => ({ ...group, group: group.name })),
    vpcId: environment.VPC_ID,
    log,
    now: Date.now,
  });
  const manager = new CapacityManager({
    api: dryRun ? toReadOnlyApi(api) : api,
    compute: dryRun ? toDryRunCompute(compute) : compute,
    groups,
    holder: `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`,
    pollIntervalMs: environment.POLL_INTERVAL_MS,
    log,
    now: Date.now,
    sleep,
    random: Math.random,
    newToken: randomUUID,
    onTurn,
  });
  return stoppable(manager, groups, async (finished) => {
    await within(finished, finishWithinMs);
    await compute.close();
    await within(finished, releaseWithinMs);
  });
}

async function within(finished: Promise<void>, ms: number): Promise<void> {
  const enough = new AbortController();
  await Promise.race([finished, sleep(ms, enough.signal)]);
  enough.abort();
}
