import type { ServerLogLine, Trace } from '../contract/health.js';

type Resources = Trace['related_resources'];

export interface TraceDependencies {
  /** Finds the log lines of a request, in the database or in CloudWatch. */
  findLog(requestId: string): Promise<ServerLogLine[]>;
  /** Finds the resources created or changed by a request. */
  findResources: { [Kind in keyof Resources]: (requestId: string) => Promise<Resources[Kind]> };
}

/** Collects the log lines and the resources of one request. */
export async function traceRequest({ findLog, findResources }: TraceDependencies, requestId: string): Promise<Trace> {
  const [logs, executions, images, secrets] = await Promise.all([
    findLog(requestId),
    findResources.executions(requestId),
    findResources.images(requestId),
    findResources.secrets(requestId),
  ]);
  return { request_id: requestId, logs, related_resources: { executions, images, secrets } };
}
