import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import type { LogMessage } from '../../../src/contract/executions.js';
import { listen } from '../../../src/server/http/listen.js';

/** Starts a fake of API Gateway's API for WebSockets: POST and DELETE /STAGE/@connections/ID. */
export async function startFakeSocketGateway() {
  const sent = new Map<string, LogMessage[]>();
  const closed: string[] = [];
  const gone = new Set<string>();
  const server = createServer();
  const listening = await listen(async (request, response) => {
    const id = decodeURIComponent(request.url?.split('/@connections/')[1] ?? '');
    const body = await text(request);
    const signed = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256');
    if (!signed || !request.url?.startsWith('/production/@connections/') || gone.has(id)) {
      response.writeHead(signed ? 410 : 403, { 'x-amzn-errortype': signed ? 'GoneException' : 'ForbiddenException' });
      response.end('{}');
    } else if (request.method === 'POST') {
      const messages = [...(sent.get(id) ?? []), JSON.parse(body)];
      sent.set(id, messages);
      await gateway.onMessage(id, messages.length);
      response.end();
    } else {
      closed.push(id);
      response.writeHead(204).end();
    }
  }, 0);
  server.close();
  const gateway = {
    /** Called before each message is answered, with the number of messages of the connection. */
    async onMessage(_id: string, _count: number): Promise<void> {},
    endpoint: `${listening.url.replace('http', 'ws')}/production`,
    sent,
    closed,
    /** Connections that the client has closed. */
    gone,
    lines: (id: string) => (sent.get(id) ?? []).flatMap((message) => (message.type === 'log' ? [message.message] : [])),
    close: () => listening.close(),
  };
  return gateway;
}
