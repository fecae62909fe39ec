import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import type { Route } from '../../../../src/contract/route.js';
import { createFakeCommandRunner } from '../../../support/command-runner.js';
import { checkConformance } from '../../../support/conformance.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';

const batchSize = 16;

let system: TestService;
let admin: TestCaller;
beforeAll(async () => {
  system = await startTestService({ runner: createFakeCommandRunner() });
  admin = await system.as('ADMIN');
  await admin.post('/api/jobs', { type: 'TEST', inputPayload: { id: 1 } });
  await admin.post('/api/polygons', { polygon: validBodies['post /api/polygons'] });
});
afterAll(() => system.close());

const ring = [
  [145, -17],
  [146, -17],
  [146, -16],
  [145, -17],
];
const job = { type: 'TEST', inputPayload: { id: 7 }, priority: 1 };
const account = { email: 'fuzz@example.org', password: 'long enough' };
const task = { ecsTaskArn: 'task', ecsClusterArn: 'cluster' };
const result = { assignmentId: 1, status: 'SUCCEEDED', resultPayload: {} };
const group = {
  group: 'test',
  jobTypes: ['TEST'],
  pending: 1,
  inProgress: 1,
  running: 1,
  desired: 2,
  lastError: null,
};

/** Valid bodies of the routes, which `mutate` changes. */
const validBodies: Record<string, unknown> = {
  'post /api/auth/register': account,
  'post /api/auth/login': account,
  'post /api/auth/token': { refreshToken: 'rt_x' },
  'post /api/auth/logout': { refreshToken: 'rt_x' },
  'post /api/auth/change-password': { currentPassword: 'long enough', newPassword: 'long enough' },
  'post /api/users': { ...account, roles: ['WORKER'] },
  'put /api/users/:id/roles': { roles: ['ADMIN'] },
  'put /api/users/:id/password': { password: 'long enough' },
  'post /api/polygons': { polygon: { type: 'Polygon', coordinates: [ring] } },
  'put /api/polygons/:id': { polygon: { type: 'Polygon', coordinates: [ring, ring] } },
  'post /api/notes': { content: 'shallow', polygonId: 1 },
  'put /api/notes/:id': { content: 'deep' },
  'post /api/jobs': job,
  'post /api/jobs/batch': { jobs: [job, { ...job, type: 'DATA_SPECIFICATION_UPDATE', inputPayload: {} }] },
  'post /api/jobs/assign': { jobId: 1, ...task },
  'post /api/jobs/claim': { jobTypes: ['TEST'], count: 1, ...task },
  'post /api/jobs/results': { results: [result, result] },
  'post /api/jobs/assignments/:id/heartbeat': { progress: { fraction: 0.5, message: 'half' } },
  'post /api/jobs/assignments/:id/result': { status: 'SUCCEEDED', resultPayload: {} },
  'post /api/jobs/assignments/:id/release': { reason: 'leaving' },
  'post /api/jobs/cache/invalidate': { type: 'TEST' },
  'post /api/jobs/assignments/:id/upload-urls': { files: ['a/b.txt'] },
  'post /api/admin/scale': { desiredCount: 3 },
  'post /api/v1/users/create': { email: 'person@example.org', role: 'VIEWER' },
  'post /api/v1/users/revoke': { email: 'fuzz@example.org' },
  'post /api/v1/secrets': { name: 'x', key_name: 'X', description: '', value: 'a value' },
  'put /api/v1/secrets/:name': { value: 'another' },
  'post /api/v1/run': {
    command: 'true',
    image: 'ubuntu:24.04',
    env: { A: 'b' },
    timeout: 5,
    secrets: ['x'],
    git_repo: 'https://example.org/x.git',
    git_ref: 'main',
    git_path: 'a/b',
  },
  'post /api/v1/images/register': { image: 'ubuntu:24.04', is_default: true, cpu: 256, memory: 512 },
  'post /api/capacity/lease': { holder: 'one', ttlSeconds: 30 },
  'delete /api/capacity/lease': { holder: 'one' },
  'post /api/capacity/snapshots': { holder: 'one', groups: [group], lastError: null },
};

/** Replaces lone surrogates by U+FFFD, as UTF-8 does. */
const toWellFormed = (value: string) => Buffer.from(value).toString();

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '',
    '\0',
    '\ud800',
    '🐠',
    '\'; DROP TABLE "Job"; --',
    '../../../..',
    '%00',
    '{{x}}',
    '__proto__',
    'constructor',
    'null',
    'x'.repeat(5_000),
  ),
);
const number = fc.oneof(
  fc.constantFrom(
    0,
    -1,
    1,
    0.5,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_649,
    1e308,
    -1e308,
    5e-324,
    9_007_199_254_740_991,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const anyJson = fc.oneof(
  { depthSize: 'small' },
  text,
  number,
  fc.constantFrom(null, true, false),
  fc.jsonValue({ maxDepth: 4 }),
  fc.constant([]),
  fc.constant({}),
);

/** Lists the paths of a value, the empty path of the whole value first: `{ a: [1] }` → `[]`, `['a']`, `['a', '0']`. */
function listPaths(value: unknown, path: string[] = []): string[][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([key, item]) => listPaths(item, [...path, key]))];
}
function changeAt(value: unknown, [head, ...rest]: string[], change: (value: unknown) => unknown): unknown {
  if (head === undefined) return change(value);
  if (Array.isArray(value)) return value.map((item, n) => (String(n) === head ? changeAt(item, rest, change) : item));
  return Object.fromEntries(
    Object.entries(Object(value)).map(([key, item]) => [key, key === head ? changeAt(item, rest, change) : item]),
  );
}
const mutate = (body: unknown) =>
  fc
    .tuple(
      fc.constantFrom(...listPaths(body)),
      anyJson,
      text,
      fc.constantFrom('replace', 'remove', 'add', 'repeat', 'keep'),
    )
    .map(([path, value, key, how]) =>
      changeAt(body, path, (old) => {
        if (how === 'replace') return value;
        if (how === 'remove') return undefined;
        if (how === 'add' && typeof old === 'object' && old !== null && !Array.isArray(old))
          return { ...old, [key]: value };
        if (how === 'repeat' && Array.isArray(old)) return Array.from({ length: 300 }, () => old[0]);
        return old;
      }),
    );

const arbitraryBody = (route: Route) => {
  const validBody = validBodies[`${route.method} ${route.path}`];
  const json = fc.oneof(...(validBody === undefined ? [] : [{ arbitrary: mutate(validBody), weight: 4 }]), anyJson);
  return fc.oneof(
    { arbitrary: json.map((value) => JSON.stringify(value) ?? ''), weight: 10 },
    { arbitrary: fc.string({ maxLength: 50 }), weight: 1 },
    {
      arbitrary: fc.constantFrom('{"a":1e999}', '{"__proto__":{}}', '['.repeat(5000), '"\\ud800"', '{"a":1,"a":2}'),
      weight: 1,
    },
  );
};

/** Creates ids that exist and ids that do not. Following an existing job would never end. */
const arbitraryParameter = (route: Route) =>
  fc.oneof(
    fc.constantFrom(
      '2147483647',
      '2147483648',
      '0',
      '-1',
      '1.5',
      '01',
      'x',
      '%',
      '%00',
      '%2e%2e',
      '%ff',
      '..%2f..',
      ' ',
    ),
    text.map((value) => encodeURIComponent(toWellFormed(value.slice(0, 100))) || 'x'),
    ...(route.path.endsWith('/events') ? [] : [fc.constantFrom('1', '2', '3')]),
  );

const arbitraryQuery = (route: Route) => {
  // A waiting long poll would only slow the test down.
  const names = Object.keys(route.query?.shape ?? {}).filter((name) => name !== 'wait');
  const name = fc.oneof(
    fc.constantFrom('x', '__proto__', '', ...names),
    text.map((value) => value.slice(0, 50)),
  );
  const value = fc.oneof(
    fc.constantFrom('1', '50', '', 'TEST', 'PENDING', '0', '-1', '1e9'),
    text.map((one) => one.slice(0, 200)),
  );
  const encoded = (one: string) => encodeURIComponent(toWellFormed(one));
  return fc
    .array(fc.tuple(name, value), { maxLength: 3 })
    .filter((pairs) => pairs.every(([key]) => key !== 'wait'))
    .map((pairs) =>
      pairs.length === 0 ? '' : `?${pairs.map(([key, one]) => `${encoded(key)}=${encoded(one)}`).join('&')}`,
    );
};

interface FuzzRequest {
  method: string;
  path: string;
  body: string | undefined;
}
const arbitraryRequest = (route: Route): fc.Arbitrary<FuzzRequest> => {
  const segments = route.path
    .split('/')
    .map((part) => (/^[:*]/.test(part) ? arbitraryParameter(route) : fc.constant(part)));
  return fc.record({
    method: fc.constant(route.method.toUpperCase()),
    path: fc.tuple(fc.tuple(...segments), arbitraryQuery(route)).map(([parts, query]) => parts.join('/') + query),
    body:
      route.method === 'get' ? fc.constant(undefined) : fc.option(arbitraryBody(route), { nil: undefined, freq: 10 }),
  });
};

async function send({ method, path, body }: FuzzRequest, headers: Record<string, string>): Promise<number> {
  const url = new URL(path, system.url);
  const response = await fetch(url, {
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body }),
  });
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const answer: unknown = isJson ? await response.json() : await response.text();
  // The URL resolves dots of the path, so its own path is the requested path.
  const exchange = { method, path: url.pathname, status: response.status, isJson, body: answer };
  if (response.status >= 500) throw new Error(`answered ${response.status}: ${JSON.stringify(answer)}`);
  if (response.status === 400)
    z.object({ message: z.string() })
      .or(z.object({ error: z.string() }))
      .parse(answer);
  checkConformance(system.service.http.routes, exchange);
  return response.status;
}

it.each([
  ['an administrator', 120],
  ['an anonymous caller', 70],
] as const)(
  'every route: answers random requests of %s (%d batches) as the OpenAPI document says and never with 5xx',
  async (who, batches) => {
    const headers: Record<string, string> =
      who !== 'an administrator' ? {} : { authorization: `Bearer ${admin.token}` };
    const requests = system.service.http.routes.map(arbitraryRequest);
    const statuses = new Map<number, number>();
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(...requests), { minLength: batchSize, maxLength: batchSize }),
        async (batch) => {
          for (const status of await Promise.all(batch.map((one) => send(one, headers)))) {
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            sent += 1;
          }
        },
      ),
      { numRuns: batches },
    );
    expect(sent).toBeGreaterThan(1_000);
    expect(statuses.get(who !== 'an administrator' ? 401 : 400)).toBeGreaterThan(sent / 5);
    if (who === 'an administrator') expect(statuses.get(200)).toBeGreaterThan(sent / 50);
    expect((await admin.get('/api/ready')).status).toBe(200);
  },
  120_000,
);
