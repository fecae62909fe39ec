// The ECS stand-in of the tests as a process: says its URL, then answers what the bench asks of it.
import { standIn } from './fake.js';

const { startEcsStandIn } = await standIn('ecs');
const ecs = await startEcsStandIn();
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
