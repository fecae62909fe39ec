import { executionRoutes } from '../../contract/executions.js';
import { imageRoutes } from '../../contract/images.js';
import {
  getImage,
  type ImageDependencies,
  listImages,
  registerImage,
  removeImage,
} from '../../executions/images/images.js';
import {
  killExecution,
  type RunDependencies,
  readExecutionLog,
  readExecutionState,
  runCommand,
} from '../../executions/runs/run.js';
import { listExecutions } from '../../executions/runs/sql.js';
import type { Http } from '../http/routes.js';
import { streamJson } from '../http/stream-json.js';

/** `socketUrl` returns an address with a token, which opens one WebSocket. */
export function addExecutionRoutes(
  http: Http,
  deps: RunDependencies,
  socketUrl: (executionId: string, apiUrl: string) => Promise<string>,
): void {
  http.guarded(executionRoutes.run, async ({ body }, { caller, apiUrl }) => {
    const { executionId, status, imageId, command } = await runCommand(deps, body, caller);
    return {
      execution_id: executionId,
      log_url: `${apiUrl}/api/v1/executions/${executionId}/logs`,
      status,
      command,
      image_id: imageId,
      websocket_url: await socketUrl(executionId, apiUrl),
    };
  });
  http.guarded(executionRoutes.list, ({ query }) =>
    listExecutions(deps.database, query.limit || undefined, query.status),
  );
  http.guarded(executionRoutes.status, ({ params }, { caller }) =>
    readExecutionState(deps.database, params.id, caller),
  );
  http.guarded(executionRoutes.logs, async ({ params: { id } }, context) => {
    const { status, events } = await readExecutionLog(deps, id, context.caller);
    const head = { execution_id: id, status };
    if (events) return streamJson(context, head, 'events', events);
    return { ...head, events: null, websocket_url: await socketUrl(id, context.apiUrl) };
  });
  http.guarded(executionRoutes.kill, async ({ params: { id } }, { caller, response }) => {
    if (await killExecution(deps, id, caller)) return { execution_id: id, message: 'Stopping' };
    response.status(204).end();
    return undefined;
  });
}

export function addImageRoutes(http: Http, deps: ImageDependencies): void {
  http.guarded(imageRoutes.list, async () => ({ images: await listImages(deps.database) }));
  http.guarded(imageRoutes.register, async ({ body }, { caller }) => {
    const { image } = await registerImage(deps, body, caller);
    return { image, message: 'Registered' };
  });
  http.guarded(imageRoutes.get, ({ params }) => getImage(deps.database, params.path));
  http.guarded(imageRoutes.remove, async ({ params }) => {
    await removeImage(deps, params.path);
    return { image: params.path, message: 'Removed' };
  });
}
