import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JobType } from '../../../../src/jobs/types/registry.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';

/** A job type that accepts any payload. */
const anyPayloadType: JobType = {
  name: 'ANYTHING',
  expiryMinutes: 60,
  maxAttempts: 1,
  inputSchema: true,
  resultSchema: true,
  checkInput: (value) => ({ ok: true, value }),
  checkResult: (value) => ({ ok: true, value }),
};

let system: TestService;
let user: TestCaller;
let worker: TestCaller;
beforeAll(async () => {
  system = await startTestService({ types: [anyPayloadType] });
  [user, worker] = [await system.as(), await system.as('WORKER')];
});
afterAll(() => system.close());

const postRaw = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, path = '/api/jobs') =>
  system.fetch(path, {
    method: 'POST',
    headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json', ...headers },
    body,
  });
const nested = (levels: number) => `${'['.repeat(levels)}1${']'.repeat(levels)}`;
const anyJob = (payload: string) => `{"type":"ANYTHING","inputPayload":${payload}}`;

describe('an unreadable body', () => {
  it.each<[string, string | Uint8Array<ArrayBuffer>, Record<string, string>, number]>([
    ['malformed JSON', '{"type":', {}, 400],
    ['JSON with a trailing comma', '{"type":"TEST",}', {}, 400],
    ['no JSON at all', 'type=TEST', {}, 400],
    ['a form', 'type=TEST', { 'content-type': 'application/x-www-form-urlencoded' }, 400],
    ['UTF-16 called UTF-8', new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), {}, 400],
    ['an unsupported charset', '{}', { 'content-type': 'application/json; charset=shift-jis-2004' }, 415],
    ['an unsupported encoding', '{}', { 'content-encoding': 'lzma' }, 415],
    ['broken gzip', 'not gzip', { 'content-encoding': 'gzip' }, 400],
    ['more than 1 MiB', `{"x":"${'x'.repeat(1_048_577)}"}`, {}, 413],
    ['a gzip bomb', new Uint8Array(gzipSync(Buffer.alloc(200_000_000))), { 'content-encoding': 'gzip' }, 413],
  ])('(%s) is refused', async (_, body, headers, status) => {
    const answer = await postRaw(body, headers);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status, message: expect.any(String) });
  });

  it('differs from valid JSON in gzip, which is accepted', async () => {
    const body = new Uint8Array(gzipSync('{"type":"TEST","inputPayload":{"id":1}}'));
    expect((await postRaw(body, { 'content-encoding': 'gzip' })).status).toBe(200);
  });

  it('differs from a body of just under 1 MiB, which is accepted', async () => {
    expect((await postRaw(anyJob(`"${'x'.repeat(1_048_500)}"`))).status).toBe(200);
  });
});

describe('an invalid body', () => {
  it.each<[string, string, string]>([
    ['nothing', '', 'type'],
    ['an array', '[]', ''],
    ['null', 'null', ''],
    ['a number', '7', ''],
    ['no type', '{"inputPayload":{}}', 'type'],
    ['a type of another type', '{"type":7,"inputPayload":{}}', 'type'],
    ['an unknown type', '{"type":"NONE","inputPayload":{}}', 'type'],
    ['a type of Object.prototype', '{"type":"constructor","inputPayload":{}}', 'type'],
    ['an unknown field', '{"type":"TEST","inputPayload":{"id":1},"urgent":true}', ''],
    ['no payload', '{"type":"TEST"}', 'inputPayload'],
    ['a payload of null', '{"type":"TEST","inputPayload":null}', 'inputPayload'],
    ['a wrong field in the payload', '{"type":"TEST","inputPayload":{"id":"1"}}', 'inputPayload.id'],
    ['an unknown field in the payload', '{"type":"TEST","inputPayload":{"id":1,"x":1}}', 'inputPayload'],
    ['half a priority', '{"type":"TEST","inputPayload":{"id":1},"priority":0.5}', 'priority'],
    ['a priority out of range', '{"type":"TEST","inputPayload":{"id":1},"priority":2147483648}', 'priority'],
    ['a number out of range', '{"type":"TEST","inputPayload":{"id":1e999}}', 'inputPayload.id'],
    ['__proto__ in the payload', '{"type":"TEST","inputPayload":{"id":1,"__proto__":{"id":2}}}', 'inputPayload'],
    ['__proto__', '{"type":"TEST","inputPayload":{"id":1},"__proto__":{}}', ''],
    ['a NUL character', anyJob('{"a":["x\\u0000"]}'), 'inputPayload.a.0'],
    ['a NUL character in a name', anyJob('{"a\\u0000":1}'), 'inputPayload'],
    ['a lone surrogate', anyJob('{"a":"\\ud800"}'), 'inputPayload.a'],
    ['nesting of 65 levels', anyJob(nested(65)), expect.stringMatching(/^inputPayload\.0/) as unknown as string],
    ['nesting of 100,000 levels', anyJob(nested(100_000)), expect.stringMatching(/^inputPayload/) as unknown as string],
  ])('(%s) is refused with the path of the problem', async (_, body, path) => {
    const answer = await postRaw(body);
    expect(answer.status).toBe(400);
    expect(answer.body.issues[0]).toEqual({ path, message: expect.any(String) });
  });

  it('is refused with every problem', async () => {
    const payload = { region: '', reef_type: 1, x_dist: -1 };
    const { body } = await user.post('/api/jobs', { type: 'SUITABILITY_ASSESSMENT', inputPayload: payload });
    expect(body.issues.map(({ path }: { path: string }) => path).sort()).toEqual(
      ['reef_type', 'region', 'x_dist', 'y_dist'].map((field) => `inputPayload.${field}`),
    );
  });
});

describe('an unusual but valid payload', () => {
  it.each(['null', '0', '""', '[]', '{"":{"":[null]}}', '{"a":1e308,"b":-0,"c":1e-400}', '"🐠\\u2028"', nested(60)])(
    '%s is stored unchanged',
    async (payload) => {
      const created = await postRaw(anyJob(payload));
      expect(created.status).toBe(200);
      const { body } = await user.get(`/api/jobs/${created.body.jobId}`);
      expect(body.job.input_payload).toEqual(JSON.parse(payload.replace('-0', '0')));
    },
  );
});

describe('a batch', () => {
  const job = (id: unknown) => ({ type: 'TEST', inputPayload: { id } });

  it('stores no job when one is invalid, and reports its path', async () => {
    const before = await system.database.prisma.jobRequest.count();
    const answer = await user.post('/api/jobs/batch', { jobs: [job(501), job(502), job(503), job('x'), job(504)] });
    expect(answer.status).toBe(400);
    expect(answer.body.issues[0].path).toBe('jobs.3.inputPayload.id');
    expect(await system.database.prisma.jobRequest.count()).toBe(before);
  });

  it.each([
    [[], 'jobs'],
    [new Array(1001).fill(job(1)), 'jobs'],
    [[job(1), { ...job(2), more: 1 }], 'jobs.1'],
    [[job(1), { inputPayload: {} }], 'jobs.1.type'],
    [[job(1), { type: 'NONE', inputPayload: {} }], 'jobs.1.type'],
  ])('%# is refused with the path of the problem', async (jobs, path) => {
    const answer = await user.post('/api/jobs/batch', { jobs });
    expect(answer.status).toBe(400);
    expect(answer.body.issues[0].path).toBe(path);
  });
});

describe('a request that fails', () => {
  it('leaves concurrent requests unharmed', async () => {
    const gone = await system.as();
    await system.database.prisma.user.delete({ where: { id: gone.userId } });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 5 === 0 ? gone : user).post('/api/jobs', { type: 'TEST', inputPayload: { id: 600 + n } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, n) => (n % 5 === 0 ? 401 : 200)));
  });
});

describe('an invalid path or query', () => {
  it.each([
    '/api/jobs/0',
    '/api/jobs/-1',
    '/api/jobs/1.5',
    '/api/jobs/1e3',
    '/api/jobs/2147483648',
    '/api/jobs/99999999999999999999',
    '/api/jobs/abc',
    '/api/jobs/1%00',
    '/api/jobs/%31%30%',
    '/api/jobs/%E0%A4%A',
    '/api/jobs/%ff',
    '/api/jobs/1/download?expirySeconds=0',
    '/api/jobs/1/download?expirySeconds=604801',
    '/api/jobs?limit=0',
    '/api/jobs?limit=501',
    '/api/jobs?limit=1&limit=2',
    '/api/jobs?limit=',
    '/api/jobs?status=DONE',
    '/api/jobs?type=',
    '/api/jobs?type=%00',
    '/api/jobs?cursor=abc',
    '/api/jobs?cursor=0',
    '/api/jobs?more=1',
    '/api/jobs?__proto__=1',
    '/api/jobs?limit[a]=1',
  ])('GET %s is answered 400', async (path) => {
    const answer = await user.get(path);
    expect(answer.status).toBe(400);
    // Express refuses a broken percent-encoding before any parameter is known.
    if (!/%$|%A$|%ff$/.test(path)) expect(answer.body.issues[0].path).toMatch(/^(params|query)/);
  });

  it.each([
    '/api/jobs/poll?jobType=NONE',
    '/api/jobs/poll?jobType=%00',
    '/api/jobs/poll?jobTypes=TEST,NONE',
    '/api/jobs/poll?wait=31',
    '/api/jobs/poll?wait=x',
    '/api/jobs/poll?limit=0',
  ])('GET %s by a worker is answered 400', async (path) => {
    expect((await worker.get(path)).status).toBe(400);
  });

  it.each(['/', '/api/none', '/api/jobs/1/none', '/api/v1/none', '/api/docs/../../package.json', '/.env'])(
    'GET %s is answered 404',
    async (path) => {
      expect((await user.get(path)).status).toBe(404);
    },
  );

  it('is answered in the form of errors of its part of the API', async () => {
    expect((await user.get('/api/none')).body).toEqual({ status: 404, message: 'GET /api/none not found' });
    expect((await user.get('/api/v1/none')).body).toEqual({ error: 'GET /api/v1/none not found', code: 'NOT_FOUND' });
  });
});
