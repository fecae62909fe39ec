import { randomBytes } from 'node:crypto';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkerAssignment } from '../../../src/contract/jobs.js';
import { listFiles } from '../../../src/platform/files.js';
import { UrlSigner } from '../../../src/storage/signed-url.js';
import { uploadOutput } from '../../../src/worker/upload.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let system: TestService;
let user: TestCaller;
let worker: TestCaller;
let nextId = 1;
beforeAll(async () => {
  system = await startTestService();
  [user, worker] = [await system.as(), await system.as('WORKER')];
});
afterAll(() => system.close());

interface Running {
  jobId: number;
  assignment: WorkerAssignment;
  prefix: string;
  /** Where its files are on disk. */
  folder: string;
}

/** A job that a worker has taken. */
async function running(): Promise<Running> {
  const { jobId } = (await user.post('/api/jobs', { type: 'TEST', inputPayload: { id: nextId++ } })).body;
  const task = { ecsTaskArn: 'task', ecsClusterArn: 'cluster' };
  const [{ assignment }] = (await worker.post('/api/jobs/claim', { jobTypes: ['TEST'], ...task })).body.claims;
  const folder = path.join(system.home, 'storage', assignment.storage_uri.replace('local://results/', ''));
  return { jobId, assignment, prefix: assignment.upload_url_prefix, folder };
}
const succeed = ({ assignment }: Running) =>
  worker.post(`/api/jobs/assignments/${assignment.id}/result`, { status: 'SUCCEEDED' });
const files = async ({ jobId }: Running, query = ''): Promise<Record<string, string>> =>
  (await user.get(`/api/jobs/${jobId}/download${query}`)).body.files;

const relative = (url: string) => url.slice(system.url.length);
const put = (url: string, body: string | Uint8Array<ArrayBuffer>) =>
  system.fetch(relative(url), { method: 'PUT', body });
/** The bytes of an answer; what it says is checked as well. */
async function get(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}
/** A request whose path goes out as it is written: fetch would resolve its dots. */
const raw = (method: string, url: string, target: string, body?: string) =>
  new Promise<number>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, method, path: target }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject).end(body);
  });

describe('a result file', () => {
  it('comes back byte for byte, whatever its name', async () => {
    const job = await running();
    const content = new Map<string, Buffer<ArrayBuffer>>(
      [
        'a.bin',
        '.env',
        '.deep/.er/b.bin',
        'deep/er/b.bin',
        'with space & ?#%.txt',
        'ülme-珊瑚.json',
        "it's (1)!*.csv",
      ].map((name) => [name, Buffer.from(randomBytes(1 + name.length * 1000))]),
    );
    content.set('empty', Buffer.alloc(0));
    for (const [name, bytes] of content) {
      const url = job.prefix + name.split('/').map(encodeURIComponent).join('/');
      expect((await put(url, new Uint8Array(bytes))).status).toBe(201);
    }
    await succeed(job);
    const urls = await files(job);
    expect(Object.keys(urls).sort()).toEqual([...content.keys()].sort());
    for (const [name, bytes] of content) {
      const answer = await get(urls[name] ?? '');
      expect(answer.status).toBe(200);
      expect(answer.bytes.equals(bytes)).toBe(true);
      expect(answer.headers.get('content-length')).toBe(String(bytes.length));
      expect(answer.headers.get('content-type')).toBe('application/octet-stream');
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment/);
    }
  });

  it('is uploaded by the worker of this program', async () => {
    const job = await running();
    const folder = path.join(system.home, 'output');
    await mkdir(path.join(folder, 'charts'), { recursive: true });
    await writeFile(path.join(folder, 'charts', 'a b.svg'), '<svg/>');
    await symlink('/etc/hostname', path.join(folder, 'link'));
    await uploadOutput(
      { uploadUrls: () => Promise.reject(new Error('not asked')) },
      job.assignment,
      await listFiles(folder),
      new AbortController().signal,
    );
    await succeed(job);
    const urls = await files(job);
    expect(Object.keys(urls)).toEqual(['charts/a b.svg']);
    expect((await get(urls['charts/a b.svg'] ?? '')).bytes.toString()).toBe('<svg/>');
  });

  it('is replaced whole by a second upload', async () => {
    const job = await running();
    await put(`${job.prefix}a`, 'first and longer');
    await put(`${job.prefix}a`, 'second');
    expect(await readFile(path.join(job.folder, 'a'), 'utf8')).toBe('second');
  });

  it('does not exist after an upload that broke off', async () => {
    const job = await running();
    const { hostname, port, pathname } = new URL(`${job.prefix}half`);
    await new Promise<void>((resolve) => {
      const sent = request({ hostname, port, method: 'PUT', path: pathname, headers: { 'content-length': 1000 } });
      sent.once('error', () => resolve());
      sent.write('half', () => sent.destroy(new Error('broken off')));
    });
    await put(`${job.prefix}whole`, 'x');
    await succeed(job);
    expect(Object.keys(await files(job))).toEqual(['whole']);
  });
});

describe('a range', () => {
  let url: string;
  const content = 'Great Barrier Reef';
  beforeAll(async () => {
    const job = await running();
    await put(`${job.prefix}name.txt`, content);
    await succeed(job);
    url = (await files(job))['name.txt'] ?? '';
  });

  it.each([
    ['bytes=0-4', 'Great', '0-4'],
    ['bytes=5-5', ' ', '5-5'],
    ['bytes=14-', 'Reef', '14-17'],
    ['bytes=-4', 'Reef', '14-17'],
    ['bytes=-1000', content, '0-17'],
    ['bytes=6-1000', 'Barrier Reef', '6-17'],
  ])('%s is answered with that part', async (range, text, shown) => {
    const answer = await get(url, { range });
    expect(answer.status).toBe(206);
    expect(answer.bytes.toString()).toBe(text);
    expect(answer.headers.get('content-range')).toBe(`bytes ${shown}/18`);
    expect(answer.headers.get('content-length')).toBe(String(text.length));
  });

  it.each(['bytes=18-', 'bytes=99999999999999999999-', 'bytes=-0', 'bytes=9-5'])(
    '%s, beyond the file, is answered 416 with the size',
    async (range) => {
      const answer = await get(url, { range });
      expect(answer.status).toBe(416);
      expect(answer.headers.get('content-range')).toBe('bytes */18');
    },
  );

  it.each(['pages=1-2', 'bytes=-', 'bytes=0-1,5-6', 'bytes=a-b', 'bytes=-5-9'])(
    '%s, not one range of bytes, is answered with the whole file',
    async (range) => {
      const answer = await get(url, { range });
      expect([answer.status, answer.bytes.toString()]).toEqual([200, content]);
    },
  );

  it.each(['bytes=0-', 'bytes=-5'])('%s of an empty file is answered 416', async (range) => {
    const job = await running();
    await put(`${job.prefix}empty`, '');
    await succeed(job);
    const answer = await get((await files(job)).empty ?? '', { range });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */0']);
  });

  it('is answered without the body to a HEAD request', async () => {
    const answer = await fetch(url, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([200, '18', '']);
  });

  it('is not sent again to a client whose copy is current', async () => {
    const etag = (await get(url)).headers.get('etag') ?? '';
    // fetch sends `Cache-Control: no-cache` beside If-None-Match unless told otherwise.
    const answer = await get(url, { 'if-none-match': etag, 'cache-control': 'max-age=0' });
    expect([answer.status, answer.bytes.length]).toEqual([304, 0]);
  });

  it('is as the OpenAPI document says', async () => {
    for (const range of ['bytes=0-4', 'bytes=18-']) {
      expect([206, 416]).toContain((await system.fetch(relative(url), { headers: { range } })).status);
    }
  });
});

describe('a link', () => {
  it('is refused with 403 when it was changed', async () => {
    const job = await running();
    await put(`${job.prefix}a`, 'x');
    await succeed(job);
    const url = (await files(job)).a ?? '';
    const [, token = ''] = /files\/([^/]+)\//.exec(url) ?? [];
    const [expiry = '', signature = ''] = token.split('.');
    for (const changed of [
      url.replace(token, `${Number(expiry) + 1}.${signature}`),
      url.replace(token, `${expiry}.${signature.slice(0, -2)}AA`),
      url.replace(token, expiry),
      url.replace(/a$/, 'b'),
      url.replace(/\/a$/, ''),
    ]) {
      expect((await get(changed)).status).toBe(403);
    }
    expect((await put(url, 'overwritten')).status).toBe(403);
    expect((await get(job.prefix)).status).toBe(403);
    expect((await get(`${job.prefix}a`)).status).toBe(403);
    expect((await get(url)).bytes.toString()).toBe('x');
  });

  it('is refused with 403 when it has expired', async () => {
    const job = await running();
    await put(`${job.prefix}a`, 'x');
    const signer = new UrlSigner('a secret of the tests, long enough', () => Date.now() - 10_000);
    const key = `${job.assignment.storage_uri.replace('local://results/', '')}/a`;
    expect((await get(`${system.url}/api/jobs/files/${signer.sign('GET', key, 60)}/${key}`)).status).toBe(200);
    expect((await get(`${system.url}/api/jobs/files/${signer.sign('GET', key, 5)}/${key}`)).status).toBe(403);
  });

  it('lasts as long as was asked for', async () => {
    const job = await running();
    await put(`${job.prefix}a`, 'x');
    await succeed(job);
    const [, expiry = ''] = /files\/(\d+)\./.exec((await files(job, '?expirySeconds=77')).a ?? '') ?? [];
    expect(Number(expiry) - Date.now() / 1000).toBeGreaterThan(70);
    expect(Number(expiry) - Date.now() / 1000).toBeLessThan(80);
  });

  it('to a file that is not there is answered 404', async () => {
    const signer = new UrlSigner('a secret of the tests, long enough', Date.now);
    const key = 'TEST/1/1/none';
    expect((await get(`${system.url}/api/jobs/files/${signer.sign('GET', key, 60)}/${key}`)).status).toBe(404);
  });
});

describe('a path out of the storage:', () => {
  it.each([
    '..',
    '../x',
    '../../../../x',
    'a/../../x',
    '%2e%2e/x',
    '%2e%2e%2fx',
    '..%2f..%2fx',
    'a%2f..%2f..%2fx',
    '%2fetc%2fx',
    '/etc/x',
    '..%5cx',
    'a%00b',
    'a%0ab',
    './x',
    'a//x',
    '.',
  ])('an upload to %s', async (name) => {
    const job = await running();
    const { pathname } = new URL(job.prefix);
    expect([400, 403]).toContain(await raw('PUT', job.prefix, `${pathname}${name}`, 'x'));
    expect(await listFiles(system.home).then((all) => all.filter((file) => /x$|etc/.test(file.relativePath)))).toEqual(
      [],
    );
  });

  it('a symbolic link in it, for reading, writing and listing', async () => {
    const job = await running();
    const outside = path.join(system.home, 'outside');
    await mkdir(outside, { recursive: true });
    await writeFile(path.join(outside, 'secret'), 'secret');
    await put(`${job.prefix}real`, 'x');
    await symlink(outside, path.join(job.folder, 'folder'));
    await symlink(path.join(outside, 'secret'), path.join(job.folder, 'file'));
    const key = job.assignment.storage_uri.replace('local://results/', '');
    const signer = new UrlSigner('a secret of the tests, long enough', Date.now);
    for (const name of ['folder/secret', 'file']) {
      const target = `${key}/${name}`;
      expect((await get(`${system.url}/api/jobs/files/${signer.sign('GET', target, 60)}/${target}`)).status).toBe(404);
    }
    expect((await put(`${job.prefix}folder/secret`, 'changed')).status).toBe(400);
    expect((await put(`${job.prefix}folder/new`, 'new')).status).toBe(400);
    // A link in the place of a file is replaced, never followed.
    expect((await put(`${job.prefix}file`, 'changed')).status).toBe(201);
    expect(await readFile(path.join(outside, 'secret'), 'utf8')).toBe('secret');
    await succeed(job);
    expect(Object.keys(await files(job))).toEqual(['file', 'real']);
  });
});
