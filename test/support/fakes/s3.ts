import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Fake of S3, path style, in memory: put, get, multipart upload, ListObjectsV2 in pages. */
export interface FakeS3 {
  url: string;
  /** By `bucket/key`. */
  objects: Map<string, Buffer>;
  /** What was asked for, as `METHOD bucket/key query`. */
  requests: string[];
  close(): Promise<void>;
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const tag = (name: string, content: string | number | boolean) => `<${name}>${content}</${name}>`;
const toEtag = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`;
const pageSize = 1000;

export async function startFakeS3(): Promise<FakeS3> {
  const objects = new Map<string, Buffer>();
  const uploads = new Map<string, Map<number, Buffer>>();
  const requests: string[] = [];

  const list = (bucket: string, query: URLSearchParams) => {
    const prefix = query.get('prefix') ?? '';
    const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString();
    const keys = [...objects.keys()]
      .filter((name) => name.startsWith(`${bucket}/${prefix}`))
      .map((name) => name.slice(bucket.length + 1))
      .sort()
      .filter((key) => key > after);
    const page = keys.slice(0, Math.min(pageSize, Number(query.get('max-keys') ?? pageSize)));
    const more = keys.length > page.length;
    const contents = page.map((key) =>
      tag('Contents', tag('Key', escaped(key)) + tag('Size', objects.get(`${bucket}/${key}`)?.length ?? 0)),
    );
    const next = more ? tag('NextContinuationToken', Buffer.from(page.at(-1) ?? '').toString('base64url')) : '';
    const head = tag('Name', bucket) + tag('Prefix', escaped(prefix)) + tag('KeyCount', page.length);
    return tag('ListBucketResult', `${head}${tag('IsTruncated', more)}${next}${contents.join('')}`);
  };

  const multipart = async (request: IncomingMessage, name: string, query: URLSearchParams) => {
    if (query.has('uploads')) {
      const id = `upload-${uploads.size}`;
      uploads.set(id, new Map());
      return tag('InitiateMultipartUploadResult', tag('UploadId', id));
    }
    const parts = uploads.get(query.get('uploadId') ?? '') ?? new Map<number, Buffer>();
    const body = await buffer(request);
    if (request.method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body);
      return { etag: toEtag(body) };
    }
    const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)</g)].map(([, number]) => Number(number));
    objects.set(name, Buffer.concat(numbers.map((number) => parts.get(number) ?? Buffer.alloc(0))));
    return tag('CompleteMultipartUploadResult', tag('ETag', 'whole'));
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://s3');
    const name = decodeURIComponent(pathname.slice(1));
    const [bucket = ''] = name.split('/');
    requests.push(`${request.method} ${name} ${query.get('list-type') ? 'list' : [...query.keys()].join()}`);
    const signed = request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ') || query.has('X-Amz-Signature');
    if (!signed) return response.writeHead(403).end();
    if (query.has('uploads') || query.has('uploadId')) {
      const answer = await multipart(request, name, query);
      if (typeof answer === 'string') return response.end(answer);
      return response.writeHead(200, { etag: answer.etag }).end();
    }
    if (request.method === 'PUT') {
      const body = await buffer(request);
      objects.set(name, body);
      return response.writeHead(200, { etag: toEtag(body) }).end();
    }
    if (query.get('list-type') === '2') {
      return response.writeHead(200, { 'content-type': 'application/xml' }).end(list(bucket, query));
    }
    const found = objects.get(name);
    return found ? response.end(found) : response.writeHead(404).end();
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    objects,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
