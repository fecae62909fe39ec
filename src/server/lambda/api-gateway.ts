import { type IncomingMessage, type OutgoingHttpHeaders, type RequestListener, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { listen } from '../http/listen.js';

const singleValues = z.record(z.string(), z.string()).nullish();
const multiValues = z.record(z.string(), z.array(z.string())).nullish();
const common = { headers: singleValues, body: z.string().nullish(), isBase64Encoded: z.boolean().nullish() };

/** An event of an HTTP API in format 2.0. */
const eventV2 = z.object({
  ...common,
  version: z.literal('2.0'),
  rawPath: z.string(),
  rawQueryString: z.string().nullish(),
  cookies: z.array(z.string()).nullish(),
  requestContext: z.object({ http: z.object({ method: z.string(), sourceIp: z.string() }) }),
});
/** An event of a REST API, or of an HTTP API in format 1.0. */
const eventV1 = z.object({
  ...common,
  httpMethod: z.string(),
  path: z.string(),
  multiValueHeaders: multiValues,
  queryStringParameters: singleValues,
  multiValueQueryStringParameters: multiValues,
  requestContext: z.object({ identity: z.object({ sourceIp: z.string() }) }),
});
const gatewayEvent = z.union([eventV2, eventV1]);
type GatewayEvent = z.infer<typeof gatewayEvent>;

export interface GatewayAnswer {
  statusCode: number;
  headers: Record<string, string>;
  /** In format 2.0 only. */
  cookies?: string[];
  /** In format 1.0 only. */
  multiValueHeaders?: Record<string, string[]>;
  body: string;
  isBase64Encoded: boolean;
}

/** Hop-by-hop headers, and headers set by the adapter. */
const droppedHeaders =
  /^(connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|content-length|forwarded|x-forwarded-.*)$/;
/** Content types of text, for example `application/problem+json`. Binary bodies travel in base64. */
const textTypes = /^(text\/|application\/([\w.+-]+\+)?(json|javascript|xml|yaml|x-www-form-urlencoded)\b)/;

export type Gateway = { handle(raw: unknown): Promise<GatewayAnswer>; close(): Promise<void> };

/**
 * Serves an app behind API Gateway: sends each event as a real HTTP request to a loopback port, because an imitation of HTTP
 * would differ. `X-Forwarded-For` carries only the address reported by API Gateway: the app trusts one proxy.
 */
export async function serveBehindGateway(app: RequestListener): Promise<Gateway> {
  const { port, close } = await listen(app, 0);
  return {
    async handle(raw) {
      const event = gatewayEvent.parse(raw);
      const response = await sendEvent(event, port);
      return toAnswer(response, await buffer(response), 'rawPath' in event);
    },
    close,
  };
}

function sendEvent(event: GatewayEvent, port: number): Promise<IncomingMessage> {
  const { method, target, sourceIp } = toRequestLine(event);
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const headers: OutgoingHttpHeaders = {
    ...toRequestHeaders(event),
    'x-forwarded-for': sourceIp,
    'x-forwarded-proto': 'https',
    'content-length': body.length,
  };
  return new Promise((resolve, reject) => {
    // No connection is reused, because a connection is dead when Lambda thaws the instance after an hour.
    const options = { host: '127.0.0.1', port, method, path: target, headers, agent: false, setHost: false };
    request(options).once('error', reject).once('response', resolve).end(body);
  });
}

function toRequestLine(event: GatewayEvent): { method: string; target: string; sourceIp: string } {
  if ('rawPath' in event) {
    const { method, sourceIp } = event.requestContext.http;
    return { method, target: escapeTarget(event.rawPath, event.rawQueryString ?? ''), sourceIp };
  }
  const query = new URLSearchParams();
  for (const [name, values] of toEntries(event.queryStringParameters, event.multiValueQueryStringParameters))
    for (const value of values) query.append(name, value);
  const { sourceIp } = event.requestContext.identity;
  return { method: event.httpMethod, target: escapeTarget(event.path, query.toString()), sourceIp };
}

/** Escapes what a request line cannot hold, because API Gateway decodes parts of a path: `/no thing` → `/no%20thing`. */
function escapeTarget(path: string, query: string): string {
  const escapePart = (part: string) =>
    part.replaceAll(/[^\x21-\x7e]+|["<>\\^`{|}]|%(?![0-9A-Fa-f]{2})/gu, (unsafe) =>
      encodeURIComponent(Buffer.from(unsafe).toString()),
    );
  const escapedQuery = query ? `?${escapePart(query).replaceAll('#', '%23')}` : '';
  return `${escapePart(path).replaceAll(/[?#]/g, encodeURIComponent)}${escapedQuery}`;
}

/** Returns every value of each name. Format 1.0 repeats the last values in the single-value record. */
const toEntries = (single: z.infer<typeof singleValues>, multi: z.infer<typeof multiValues>): [string, string[]][] =>
  multi ? Object.entries(multi) : Object.entries(single ?? {}).map(([name, value]) => [name, [value]]);

function toRequestHeaders(event: GatewayEvent): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { host: 'localhost' };
  for (const [name, values] of toEntries(event.headers, 'rawPath' in event ? undefined : event.multiValueHeaders)) {
    // Node.js reads header bytes above ASCII as Latin-1.
    const latin1 = values.map((value) => Buffer.from(value).toString('latin1'));
    if (!droppedHeaders.test(name.toLowerCase()))
      headers[name.toLowerCase()] = latin1.length === 1 ? latin1[0] : latin1;
  }
  if ('rawPath' in event && event.cookies?.length) headers.cookie = event.cookies.join('; ');
  return headers;
}

function toAnswer(response: IncomingMessage, body: Buffer, isV2: boolean): GatewayAnswer {
  const headers: Record<string, string> = {};
  const multiValueHeaders: Record<string, string[]> = {};
  for (const [name, values = []] of Object.entries(response.headersDistinct)) {
    if (droppedHeaders.test(name)) continue;
    multiValueHeaders[name] = values;
    if (name !== 'set-cookie') headers[name] = values.join(', ');
  }
  const isText = textTypes.test(headers['content-type'] ?? 'text/') && headers['content-encoding'] === undefined;
  return {
    statusCode: response.statusCode ?? 502,
    headers,
    ...(isV2 ? { cookies: multiValueHeaders['set-cookie'] ?? [] } : { multiValueHeaders }),
    body: body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  };
}
