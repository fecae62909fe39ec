import { createServer, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Refusal {
  /** Name that AWS gives the error. */
  name: string;
  status?: number;
  message?: string;
  resourceIds?: string[];
}

/** Faults of a fake; each function is called at every call of its action. */
export interface HttpFaults {
  /** Returns the error with which the call is refused before it acts. */
  refuse?: (action: string, body: Record<string, unknown>) => Refusal | undefined;
  /** Returns true when the call acts and never answers; for services that speak JSON. */
  hang?: (action: string) => boolean;
}

export interface SeenCall {
  action: string;
  body: Record<string, unknown>;
}

/** Answer of a service: JSON, XML, or an error. */
export type AwsAnswer = { json: unknown } | { xml: string } | { refusal: Refusal };

/** Answers a call; undefined for actions of other services. */
export type AwsService = (action: string, body: Record<string, unknown>) => AwsAnswer | undefined;

const xmlError = (action: string, { name, message = name }: Refusal) => {
  const error = `<Error><Type>Sender</Type><Code>${name}</Code><Message>${message}</Message></Error>`;
  return action === 'DescribeSubnets'
    ? `<Response><Errors>${error}</Errors><RequestID>1</RequestID></Response>`
    : `<ErrorResponse>${error}<RequestId>1</RequestId></ErrorResponse>`;
};

/** Starts a server that speaks the JSON and the query protocols of AWS for some services, and records every call. */
export async function startAwsHttp(services: readonly AwsService[], faults: HttpFaults) {
  const calls: SeenCall[] = [];
  const open = new Set<ServerResponse>();
  const respond = (response: ServerResponse, action: string, isJson: boolean, answer: AwsAnswer) => {
    if ('refusal' in answer) {
      const { name, status = 400, message = name, resourceIds } = answer.refusal;
      response.writeHead(status, { 'content-type': isJson ? 'application/x-amz-json-1.1' : 'text/xml' });
      response.end(isJson ? JSON.stringify({ __type: name, message, resourceIds }) : xmlError(action, answer.refusal));
    } else if ('xml' in answer) {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(answer.xml);
    } else {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer.json));
    }
  };
  const server = createServer(async (request, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    const content = await text(request);
    const target = request.headers['x-amz-target'];
    const fields = new URLSearchParams(content);
    const action = target ? String(target).replace(/^.*\./, '') : (fields.get('Action') ?? String(request.url));
    const body: Record<string, unknown> = target ? JSON.parse(content) : Object.fromEntries(fields);
    calls.push({ action, body });
    const refusal = faults.refuse?.(action, body);
    let answer: AwsAnswer | undefined = refusal && { refusal };
    for (const service of services) answer ??= service(action, body);
    if (target !== undefined && faults.hang?.(action)) return;
    answer ??= { refusal: { name: 'UnknownOperationException', message: `the fake has no ${action}` } };
    respond(response, action, target !== undefined, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    count: (action: string) => calls.filter((call) => call.action === action).length,
    async close() {
      for (const response of open) response.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
