/** The task that a worker runs in. */
export interface TaskIdentity {
  taskArn: string;
  clusterArn: string;
}

/**
 * Asks the ECS metadata endpoint (version 4) which task this is. Outside of a task, the worker names itself by machine
 * and process, which is enough to tell workers apart.
 */
export async function readTaskIdentity(
  env: NodeJS.ProcessEnv,
  self: { hostname: string; pid: number },
): Promise<TaskIdentity> {
  const endpoint = env.ECS_CONTAINER_METADATA_URI_V4;
  if (endpoint) {
    const response = await fetch(`${endpoint}/task`, { signal: AbortSignal.timeout(5_000) });
    const body: unknown = await response.json();
    if (typeof body === 'object' && body !== null && 'TaskARN' in body && typeof body.TaskARN === 'string') {
      const cluster = 'Cluster' in body && typeof body.Cluster === 'string' ? body.Cluster : 'unknown';
      return { taskArn: body.TaskARN, clusterArn: clusterArn(cluster, body.TaskARN) };
    }
    throw new Error(`The task metadata endpoint gave no TaskARN (status ${response.status})`);
  }
  return { taskArn: `worker:${self.hostname}:${self.pid}`, clusterArn: `host:${self.hostname}` };
}

/** ECS gives the cluster as an ARN or as a short name; the name is completed from the task's ARN. */
export function clusterArn(cluster: string, taskArn: string): string {
  if (cluster.startsWith('arn:')) return cluster;
  const match = /^(arn:[^:]+:ecs:[^:]+:[^:]+):task\//.exec(taskArn);
  return match ? `${match[1]}:cluster/${cluster}` : cluster;
}
