// Runs a manager through 24 simulated hours of bursts; prints its memory, and timers and listeners that are left.
import { CapacityManager } from '../../dist/capacity/manager/manager.js';
import { Simulation } from '../../dist/capacity/simulation/simulation.js';

const hour = 3_600_000;
const jobs = [];
// 200 jobs every ten minutes, of one minute each.
for (let burst = 0; burst < 24 * 6; burst += 1) {
  for (let n = 0; n < 200; n += 1) jobs.push({ type: 'A', atMs: burst * 600_000 + n * 50, runMs: 60_000 });
}
const group = {
  name: 'a',
  jobTypes: ['A'],
  scaling: { min: 0, max: 50, factor: 1, sensitivity: 10, cooldownSeconds: 30, policy: { kind: 'logarithmic' } },
};
const simulation = new Simulation({ groups: [group], jobs });
const log = { info() {}, warn() {} };
const manager = new CapacityManager({
  ...simulation.managerOptions(),
  holder: 'bench',
  pollIntervalMs: 3000,
  log,
  random: Math.random,
});
const stops = [2 * hour, 24 * hour];
const megabytes = [];
const resources = [];
for (const stop of stops) {
  // Measured within one run, because a stopped manager does not run again.
  simulation.at(stop, () => {
    gc();
    megabytes.push(process.memoryUsage().heapUsed / 1e6);
    resources.push(process.getActiveResourcesInfo().length);
  });
}
const began = performance.now();
await simulation.run(manager, 25 * hour);
process.stdout.write(
  JSON.stringify({
    early: megabytes[0],
    late: megabytes[1],
    resources: resources[1] - resources[0],
    ...simulation.totals,
    unfinished: simulation.unfinishedCount,
    seconds: (performance.now() - began) / 1000,
  }),
);
