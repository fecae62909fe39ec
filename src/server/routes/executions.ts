import { mayDo } from '../../accounts/permissions.js';
import { executionRoutes } from '../../contract/executions.js';
import { imageRoutes } from '../../contract/images.js';
import type { Images } from '../../executions/images/images.js';
import type { Asker, Executions } from '../../executions/runs/run.js';
import type { Http, UserContext } from '../http/routes.js';
import { streamJson } from '../http/stream-json.js';

const askerOf = ({ principal, requestId }: UserContext): Asker => ({
  userId: principal.userId,
  requestId,
  email: principal.email,
  any: mayDo(principal.roles, 'executions:any'),
  registers: mayDo(principal.roles, 'images:write'),
});

/** `socketUrl` issues a token: the address opens one WebSocket. */
export function executionRoutesOn(
  http: Http,
  executions: Executions,
  socketUrl: (executionId: string, apiUrl: string) => Promise<string>,
): void {
  http.guarded(executionRoutes.run, async ({ body }, context) => {
    const { executionId, status, imageId, command } = await executions.run(body, askerOf(context));
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
  http.guarded(executionRoutes.status, ({ params }, context) => executions.status(params.id, askerOf(context)));
  http.guarded(executionRoutes.logs, async ({ params: { id } }, context) => {
    const { status, events } = await executions.logs(id, askerOf(context));
    const head = { execution_id: id, status };
    if (events) return streamJson(context, head, 'events', events);
    return { ...head, events: null, websocket_url: await socketUrl(id, context.apiUrl) };
  });
  http.guarded(executionRoutes.kill, async ({ params: { id } }, context) => {
    if (await executions.kill(id, askerOf(context))) return { execution_id: id, message: 'It is being stopped' };
    context.response.status(204).end();
    return undefined;
  });
}

export function imageRoutesOn(http: Http, images: Images): void {
  http.guarded(imageRoutes.list, async () => ({ images: await images.list() }));
  http.guarded(imageRoutes.register, async ({ body }, { principal, requestId }) => {
    const { image } = await images.register(body, { userId: principal.userId, requestId });
    return { image, message: 'Registered' };
  });
  http.guarded(imageRoutes.get, ({ params }) => images.get(params.path));
  http.guarded(imageRoutes.remove, async ({ params }) => {
    await images.remove(params.path);
    return { image: params.path, message: 'Removed' };
  });
}
