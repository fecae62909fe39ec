import { createServer } from 'node:http';
import type { Task } from '../provider.js';
import { localClusterArn } from './stopped-event.js';

export interface MetadataEndpoint {
  toEnvironment(id: string): Record<string, string>;
  close(): Promise<void>;
}

type TaskWithImage = { task: Task; image: string };
type FindTask = (id: string) => TaskWithImage | undefined;

/** Starts an ECS task metadata endpoint, version 4: `/v4/<id>` describes the container, `/v4/<id>/task` the task. */
export async function startMetadataEndpoint(find: FindTask): Promise<MetadataEndpoint> {
  const server = createServer((request, response) => {
    const body = toBody(request.url ?? '', find);
    response.writeHead(body ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body ?? { message: 'not found' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    toEnvironment: (id) => ({ ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${port}/v4/${id}` }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function toBody(url: string, find: FindTask) {
  const [, version, id = '', rest] = url.split('/');
  const task = version === 'v4' ? find(id) : undefined;
  if (!task || (rest !== undefined && rest !== 'task')) return undefined;
  return rest === 'task' ? toTaskBody(id, task) : toContainerBody(id, task);
}

function toContainerBody(id: string, { task, image }: TaskWithImage) {
  return {
    DockerId: id,
    Name: task.group,
    DockerName: `reefguide-${task.group}`,
    Image: image,
    Labels: {
      'com.amazonaws.ecs.cluster': localClusterArn,
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

function toTaskBody(id: string, described: TaskWithImage) {
  const { task } = described;
  return {
    Cluster: localClusterArn,
    TaskARN: task.arn,
    Family: task.group,
    Revision: '1',
    DesiredStatus: 'RUNNING',
    KnownStatus: 'RUNNING',
    LaunchType: 'EXTERNAL',
    AvailabilityZone: 'local',
    Containers: [toContainerBody(id, described)],
  };
}
