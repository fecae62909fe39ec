import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { readTaskIdentity, toClusterArn } from '../../../src/worker/task.js';

const self = { hostname: 'reef', pid: 7 };
const taskArn = 'arn:aws:ecs:ap-southeast-2:123456789012:task/reef/abc';
const cluster = 'arn:aws:ecs:ap-southeast-2:123456789012:cluster/reef';

/** Serves `body` at `GET /v4/x/task`, as the metadata endpoint of ECS does, while `work` runs. */
async function withMetadata<T>(body: unknown, work: (endpoint: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/v4/x/task' ? 200 : 404).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    return await work(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/v4/x`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('readTaskIdentity', () => {
  it('names the machine and the process outside ECS', async () => {
    expect(await readTaskIdentity({}, self)).toEqual({ taskArn: 'worker:reef:7', clusterArn: 'host:reef' });
  });

  it.each([cluster, 'reef'])('reads task and cluster from the metadata endpoint (cluster %s)', async (Cluster) => {
    await withMetadata({ TaskARN: taskArn, Cluster }, async (endpoint) => {
      expect(await readTaskIdentity({ ECS_CONTAINER_METADATA_URI_V4: endpoint }, self)).toEqual({
        taskArn,
        clusterArn: cluster,
      });
    });
  });

  it('fails when the metadata endpoint names no task', async () => {
    await withMetadata({}, async (endpoint) => {
      await expect(readTaskIdentity({ ECS_CONTAINER_METADATA_URI_V4: endpoint }, self)).rejects.toThrow(/no TaskARN/);
    });
  });
});

describe('toClusterArn', () => {
  it.each([
    [cluster, 'anything', cluster],
    ['reef', taskArn, cluster],
    ['reef', 'worker:reef:7', 'reef'],
  ])('completes %s and %s to %s', (name, task, arn) => {
    expect(toClusterArn(name, task)).toBe(arn);
  });
});
