// The ECS stand-in of the tests as a process: says its URL, then answers what the bench asks of it.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../support/ecs.ts', import.meta.url))],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
});
const { startEcsStandIn } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
);
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
