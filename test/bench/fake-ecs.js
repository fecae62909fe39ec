// Runs the fake of ECS as a process: sends its URL, then answers the messages of the benchmarks.
import { loadFake } from './fake.js';

const { startFakeEcs } = await loadFake('ecs');
const ecs = await startFakeEcs();
process.on('message', async ({ count, until, above, tasks, groups }) => {
  if (count) process.send({ count: ecs.count(count) });
  if (until) {
    while (ecs.count(until) <= above) await new Promise((resolve) => setTimeout(resolve, 1));
    process.send({});
  }
  if (tasks) {
    for (let n = 0; n < tasks; n += 1) ecs.start(`group-${n % groups}:1`);
    process.send({});
  }
});
process.send({ url: ecs.url });
