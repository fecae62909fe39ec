import { createServer } from 'node:http';
import type { Task } from '../provider.js';

export interface MetadataEndpoint {
  /** What the task with this id gets in its environment. */
  environmentOf(id: string): Record<string, string>;
  close(): Promise<void>;
}

export interface DescribedTask {
  task: Task;
  image: string;
  clusterArn: string;
}

/** The ECS task metadata endpoint, version 4, for tasks of this machine: `GET /v4/<id>` and `/v4/<id>/task`. */
export async function startMetadataEndpoint(
  find: (id: string) => DescribedTask | undefined,
): Promise<MetadataEndpoint> {
  const server = createServer((request, response) => {
    const [, version, id = '', rest] = (request.url ?? '').split('/');
    const found = version === 'v4' ? find(id) : undefined;
    const body =
      found && (rest === 'task' ? taskBody(id, found) : rest === undefined ? containerBody(id, found) : undefined);
    response.writeHead(body ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body ?? { message: 'not found' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // Does not keep the process alive by itself.
  server.unref();
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    environmentOf: (id) => ({ ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${port}/v4/${id}` }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function containerBody(id: string, { task, image, clusterArn }: DescribedTask) {
  return {
    DockerId: id,
    Name: task.group,
    DockerName: `reefguide-${task.group}`,
    Image: image,
    Labels: {
      'com.amazonaws.ecs.cluster': clusterArn,
      'com.amazonaws.ecs.container-name': task.group,
      'com.amazonaws.ecs.task-arn': task.arn,
      'com.amazonaws.ecs.task-definition-family': task.group,
      'com.amazonaws.ecs.task-definition-version': '1',
    },
    DesiredStatus: 'RUNNING',
    KnownStatus: 'RUNNING',
    StartedAt: task.startedAt?.toISOString(),
    Type: 'NORMAL',
  };
}

function taskBody(id: string, described: DescribedTask) {
  const { task, clusterArn } = described;
  return {
    Cluster: clusterArn,
    TaskARN: task.arn,
    Family: task.group,
    Revision: '1',
    DesiredStatus: 'RUNNING',
    KnownStatus: 'RUNNING',
    LaunchType: 'EXTERNAL',
    AvailabilityZone: 'local',
    Containers: [containerBody(id, described)],
  };
}
