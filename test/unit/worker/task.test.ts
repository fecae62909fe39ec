import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { clusterArn, readTaskIdentity } from '../../../src/worker/task.js';

const self = { hostname: 'reef', pid: 7 };
const taskArn = 'arn:aws:ecs:ap-southeast-2:123456789012:task/reef/abc';
const cluster = 'arn:aws:ecs:ap-southeast-2:123456789012:cluster/reef';

/** A metadata endpoint that answers `GET /v4/x/task` with this. */
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

describe('a worker', () => {
  it('outside of a task names itself by machine and process', async () => {
    expect(await readTaskIdentity({}, self)).toEqual({ taskArn: 'worker:reef:7', clusterArn: 'host:reef' });
  });

  it.each([cluster, 'reef'])('in a task learns who it is from the metadata endpoint (cluster %s)', async (Cluster) => {
    await withMetadata({ TaskARN: taskArn, Cluster }, async (endpoint) => {
      expect(await readTaskIdentity({ ECS_CONTAINER_METADATA_URI_V4: endpoint }, self)).toEqual({
        taskArn,
        clusterArn: cluster,
      });
    });
  });

  it('whose metadata endpoint names no task fails', async () => {
    await withMetadata({}, async (endpoint) => {
      await expect(readTaskIdentity({ ECS_CONTAINER_METADATA_URI_V4: endpoint }, self)).rejects.toThrow(/no TaskARN/);
    });
  });
});

describe('clusterArn', () => {
  it.each([
    [cluster, 'anything', cluster],
    ['reef', taskArn, cluster],
    ['reef', 'worker:reef:7', 'reef'],
  ])('of %s and %s is %s', (name, task, arn) => {
    expect(clusterArn(name, task)).toBe(arn);
  });
});
