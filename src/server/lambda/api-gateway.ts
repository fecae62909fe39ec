import { request as ask, type IncomingMessage, type OutgoingHttpHeaders, type RequestListener } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { listen } from '../http/listen.js';

const values = z.record(z.string(), z.string()).nullish();
const lists = z.record(z.string(), z.array(z.string())).nullish();
const shared = { headers: values, body: z.string().nullish(), isBase64Encoded: z.boolean().nullish() };

/** What API Gateway sends for an HTTP API, in its second format. */
const second = z.object({
  ...shared,
  version: z.literal('2.0'),
  rawPath: z.string(),
  rawQueryString: z.string().nullish(),
  cookies: z.array(z.string()).nullish(),
  requestContext: z.object({ http: z.object({ method: z.string(), sourceIp: z.string() }) }),
});
/** What it sends for a REST API, and for an HTTP API in its first format. */
const first = z.object({
  ...shared,
  httpMethod: z.string(),
  path: z.string(),
  multiValueHeaders: lists,
  queryStringParameters: values,
  multiValueQueryStringParameters: lists,
  requestContext: z.object({ identity: z.object({ sourceIp: z.string() }) }),
});
const event = z.union([second, first]);
type Event = z.infer<typeof event>;

export interface GatewayAnswer {
  statusCode: number;
  headers: Record<string, string>;
  /** Of the second format. */
  cookies?: string[];
  /** Of the first format. */
  multiValueHeaders?: Record<string, string[]>;
  body: string;
  isBase64Encoded: boolean;
}

/** Of one connection, and what the gateway in front says anew. */
const dropped =
  /^(connection|keep-alive|transfer-encoding|te|trailer|upgrade|expect|content-length|forwarded|x-forwarded-.*)$/;
const text = /^(text\/|application\/([\w.+-]+\+)?(json|javascript|xml|yaml|x-www-form-urlencoded)\b)/;

/**
 * An app as a function behind API Gateway: each event becomes a real request to the app, which listens on a port of this
 * machine alone, so that nothing of HTTP is imitated. The caller's address is API Gateway's word, in the only
 * `X-Forwarded-For` that gets through: the app trusts one proxy.
 */
export async function behindGateway(app: RequestListener) {
  const { port, close } = await listen(app, 0);
  return {
    async handle(raw: unknown): Promise<GatewayAnswer> {
      const given = event.parse(raw);
      const { method, target, sourceIp } = requestOf(given);
      const body = Buffer.from(given.body ?? '', given.isBase64Encoded ? 'base64' : 'utf8');
      const headers: OutgoingHttpHeaders = {
        ...headersOf(given),
        'x-forwarded-for': sourceIp,
        'x-forwarded-proto': 'https',
        'content-length': body.length,
      };
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        // A connection of its own: one that is kept would be dead when the instance is thawed after an hour.
        const sent = ask({ host: '127.0.0.1', port, method, path: target, headers, agent: false, setHost: false });
        sent.once('error', reject).once('response', resolve).end(body);
      });
      return answerOf(response, await buffer(response), 'rawPath' in given);
    },
    close,
  };
}

function requestOf(given: Event): { method: string; target: string; sourceIp: string } {
  if ('rawPath' in given) {
    const { method, sourceIp } = given.requestContext.http;
    return { method, target: escaped(given.rawPath, given.rawQueryString ?? ''), sourceIp };
  }
  const query = new URLSearchParams();
  for (const [name, all] of listed(given.queryStringParameters, given.multiValueQueryStringParameters))
    for (const value of all) query.append(name, value);
  const { sourceIp } = given.requestContext.identity;
  return { method: given.httpMethod, target: escaped(given.path, query.toString()), sourceIp };
}

/** API Gateway decodes some of a path: what a request line cannot hold is escaped again. */
function escaped(path: string, query: string): string {
  const safe = (part: string) =>
    part.replaceAll(/[^\x21-\x7e]+|["<>\\^`{|}]|%(?![0-9A-Fa-f]{2})/gu, (found) =>
      encodeURIComponent(Buffer.from(found).toString()),
    );
  return `${safe(path).replaceAll(/[?#]/g, encodeURIComponent)}${query ? `?${safe(query).replaceAll('#', '%23')}` : ''}`;
}

/** The first format says the same twice, once with the last value of each name alone. */
const listed = (single: z.infer<typeof values>, multiple: z.infer<typeof lists>): [string, string[]][] =>
  multiple ? Object.entries(multiple) : Object.entries(single ?? {}).map(([name, value]) => [name, [value]]);

function headersOf(given: Event): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { host: 'localhost' };
  for (const [name, all] of listed(given.headers, 'rawPath' in given ? undefined : given.multiValueHeaders)) {
    // Bytes above ASCII travel as Latin-1, as Node.js reads them from a connection.
    const sent = all.map((one) => Buffer.from(one).toString('latin1'));
    if (!dropped.test(name.toLowerCase())) headers[name.toLowerCase()] = sent.length === 1 ? sent[0] : sent;
  }
  if ('rawPath' in given && given.cookies?.length) headers.cookie = given.cookies.join('; ');
  return headers;
}

function answerOf(response: IncomingMessage, body: Buffer, isSecond: boolean): GatewayAnswer {
  const headers: Record<string, string> = {};
  const lists: Record<string, string[]> = {};
  for (const [name, list = []] of Object.entries(response.headersDistinct)) {
    if (dropped.test(name)) continue;
    lists[name] = list;
    if (name !== 'set-cookie') headers[name] = list.join(', ');
  }
  const isText = text.test(headers['content-type'] ?? 'text/') && headers['content-encoding'] === undefined;
  return {
    statusCode: response.statusCode ?? 502,
    headers,
    ...(isSecond ? { cookies: lists['set-cookie'] ?? [] } : { multiValueHeaders: lists }),
    body: body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  };
}
