import { executionRoutes } from '../../contract/executions.js';
import { imageRoutes } from '../../contract/images.js';
import type { Images } from '../../executions/images/images.js';
import type { Executions } from '../../executions/runs/run.js';
import type { Http } from '../http/routes.js';
import { streamJson } from '../http/stream-json.js';

/** `socketUrl` issues a token: the address opens one WebSocket. */
export function executionRoutesOn(
  http: Http,
  executions: Executions,
  socketUrl: (executionId: string, apiUrl: string) => Promise<string>,
): void {
  http.guarded(executionRoutes.run, async ({ body }, context) => {
    const { executionId, status, imageId, command } = await executions.run(body, context.caller);
    return {
      execution_id: executionId,
      log_url: `${context.apiUrl}/api/v1/executions/${executionId}/logs`,
      status,
      command,
      image_id: imageId,
      websocket_url: await socketUrl(executionId, context.apiUrl),
    };
  });
  http.guarded(executionRoutes.list, ({ query }) => executions.list(query.limit || undefined, query.status));
  http.guarded(executionRoutes.status, ({ params }, context) => executions.status(params.id, context.caller));
  http.guarded(executionRoutes.logs, async ({ params: { id } }, context) => {
    const { status, events } = await executions.logs(id, context.caller);
    const head = { execution_id: id, status };
    if (events) return streamJson(context, head, 'events', events);
    return { ...head, events: null, websocket_url: await socketUrl(id, context.apiUrl) };
  });
  http.guarded(executionRoutes.kill, async ({ params: { id } }, context) => {
    if (await executions.kill(id, context.caller)) return { execution_id: id, message: 'It is being stopped' };
    context.response.status(204).end();
    return undefined;
  });
}

export function imageRoutesOn(http: Http, images: Images): void {
  http.guarded(imageRoutes.list, async () => ({ images: await images.list() }));
  http.guarded(imageRoutes.register, async ({ body }, { caller }) => {
    const { image } = await images.register(body, caller);
    return { image, message: 'Registered' };
  });
  http.guarded(imageRoutes.get, ({ params }) => images.get(params.path));
  http.guarded(imageRoutes.remove, async ({ params }) => {
    await images.remove(params.path);
    return { image: params.path, message: 'Removed' };
  });
}
