// Takes one turn of a manager with 20 groups, 10,000 waiting jobs and 500 running tasks; prints the CPU seconds.
import { createAws } from '../../dist/aws/clients.js';
import { CapacityManager } from '../../dist/capacity/manager/manager.js';
import { sleep } from '../../dist/client/sleep.js';
import { EcsCompute } from '../../dist/compute/ecs/provider.js';

const names = Array.from({ length: 20 }, (_, n) => `group-${n}`);
const log = { info() {}, warn() {} };
let pending = 0;
const manager = new CapacityManager({
  api: {
    poll: async () => ({ jobs: [] }),
    takeLease: async () => ({ held: true, expiresAt: '' }),
    releaseLease: async () => {},
    demand: async () => ({
      version: '1',
      types: names.map((type) => ({ type, pending, inProgress: 25, oldestPendingSeconds: 1 })),
    }),
    reportCapacity: async () => ({ recorded: 20 }),
  },
  compute: new EcsCompute({
    aws: createAws(),
    definitions: names.map((group) => ({
      group,
      family: group,
      taskDefinition: `${group}:1`,
      cluster: 'reef',
      securityGroup: 'sg-1',
      spot: false,
    })),
    vpcId: 'vpc-1',
    log,
    now: Date.now,
  }),
  groups: names.map((name) => ({
    name,
    jobTypes: [name],
    scaling: { min: 0, max: 30, factor: 1, sensitivity: 10, cooldownSeconds: 0, policy: { kind: 'logarithmic' } },
  })),
  holder: 'bench',
  pollIntervalMs: 3000,
  log,
  now: Date.now,
  sleep,
  random: Math.random,
  newToken: () => crypto.randomUUID(),
});
// The first turn loads and connects the SDK, as in a manager that runs.
await manager.turn();
pending = 500;
const before = process.cpuUsage();
await manager.turn();
const { user, system } = process.cpuUsage(before);
const launched = manager.status().groups.reduce((sum, { running }) => sum + running, 0) - 500;
process.stdout.write(JSON.stringify({ cpuSeconds: (user + system) / 1e6, launched }));
process.exit(0);
