export interface TaskIdentity {
  taskArn: string;
  clusterArn: string;
}

/** Reads the identity of this task from the ECS metadata endpoint. Outside ECS, returns e.g. `worker:laptop:4711`. */
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
      return { taskArn: body.TaskARN, clusterArn: toClusterArn(cluster, body.TaskARN) };
    }
    throw new Error(`The task metadata endpoint gave no TaskARN (status ${response.status})`);
  }
  return { taskArn: `worker:${self.hostname}:${self.pid}`, clusterArn: `host:${self.hostname}` };
}

/** Returns the cluster's ARN. ECS gives an ARN or a short name; a name is completed from the task's ARN. */
export function toClusterArn(cluster: string, taskArn: string): string {
  if (cluster.startsWith('arn:')) return cluster;
  const match = /^(arn:[^:]+:ecs:[^:]+:[^:]+):task\//.exec(taskArn);
  return match ? `${match[1]}:cluster/${cluster}` : cluster;
}
