import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RoleName, roles } from '../../../src/contract/auth.js';
import type { Access, Route } from '../../../src/contract/route.js';
import { type Caller, startTestService, type TestService } from '../../support/service.js';

type Who = RoleName | 'no role';
const everybody: Who[] = ['no role', ...roles];
const people: Who[] = ['no role', 'ADMIN', 'OPERATOR', 'DEVELOPER', 'VIEWER', 'ANALYST'];

/** The role table of the design, by what a route asks for. */
const mayCall: Record<Exclude<Access, 'public' | 'signed-url'>, Who[]> = {
  user: everybody,
  'users:admin': ['ADMIN'],
  'users:read': ['ADMIN', 'OPERATOR'],
  'secrets:use': ['ADMIN', 'OPERATOR', 'DEVELOPER'],
  'secrets:read': ['ADMIN', 'OPERATOR'],
  'secrets:write': ['ADMIN', 'OPERATOR', 'DEVELOPER'],
  'executions:run': ['ADMIN', 'OPERATOR', 'DEVELOPER'],
  'executions:list': ['ADMIN', 'OPERATOR', 'DEVELOPER', 'VIEWER'],
  'executions:own': ['ADMIN', 'OPERATOR', 'DEVELOPER'],
  'executions:any': ['ADMIN', 'OPERATOR'],
  'images:use': ['ADMIN', 'OPERATOR', 'DEVELOPER'],
  'images:write': ['ADMIN', 'OPERATOR'],
  'health:reconcile': ['ADMIN', 'OPERATOR'],
  'trace:read': ['ADMIN'],
  'service:admin': ['ADMIN'],
  'content:own': people,
  'jobs:create': people,
  'jobs:read': people,
  'jobs:read-all': ['ADMIN', 'ANALYST'],
  'jobs:poll': ['ADMIN', 'WORKER', 'MANAGER'],
  'jobs:work': ['ADMIN', 'WORKER'],
  'jobs:demand': ['ADMIN', 'MANAGER'],
  'jobs:invalidate': ['ADMIN'],
  'capacity:manage': ['ADMIN', 'MANAGER'],
};

/** What each route asks for, as the design says. Whatever is not listed here needs the permission to administer. */
const design: [RegExp, Access][] = [
  [/^(get \/metrics|get \/api|get \/api\/(health|ready|openapi\.json|\.well-known\/jwks\.json|v1\/health))$/, 'public'],
  [/^post \/api\/auth\/(register|login|token)$/, 'public'],
  [/^get \/api\/v1\/claim\/:token$/, 'public'],
  [/^get \/api\/v1\/users$/, 'users:read'],
  [/^get \/api\/v1\/secrets(\/:name)?$/, 'secrets:use'],
  [/^(post|put|delete) \/api\/v1\/secrets(\/:name)?$/, 'secrets:write'],
  [/^post \/api\/v1\/run$/, 'executions:run'],
  [/^get \/api\/v1\/executions$/, 'executions:list'],
  [/^(get|delete) \/api\/v1\/executions\/:id(\/status|\/logs)?$/, 'executions:own'],
  [/^get \/api\/v1\/images(\/\*path)?$/, 'images:use'],
  [/^(post|delete) \/api\/v1\/images\/(register|\*path)$/, 'images:write'],
  [/^post \/api\/v1\/health\/reconcile$/, 'health:reconcile'],
  [/^get \/api\/v1\/trace\/:requestId$/, 'trace:read'],
  [/^post \/api\/v1\/users\/(create|revoke)$/, 'users:admin'],
  [/^(get|put) \/api\/jobs\/files\/\*path$/, 'signed-url'],
  [/^(get \/api\/auth\/profile|post \/api\/auth\/(logout|change-password)|get \/api\/jobs\/types)$/, 'user'],
  [/^\w+ \/api\/users(\/|$)/, 'users:admin'],
  [/^\w+ \/api\/(polygons|notes)(\/|$)/, 'content:own'],
  [/^post \/api\/jobs(\/batch)?$/, 'jobs:create'],
  [/^get \/api\/jobs(\/requests|\/:id(\/events|\/download)?)?$/, 'jobs:read'],
  [/^post \/api\/jobs\/:id\/cancel$/, 'jobs:read'],
  [/^get \/api\/jobs\/poll$/, 'jobs:poll'],
  [/^post \/api\/jobs\/(assign|claim|results|assignments\/:id\/(heartbeat|result|release|upload-urls))$/, 'jobs:work'],
  [/^get \/api\/jobs\/demand$/, 'jobs:demand'],
  [/^post \/api\/jobs\/cache\/invalidate$/, 'jobs:invalidate'],
  [/^\w+ \/api\/capacity\//, 'capacity:manage'],
];

let system: TestService;
const callers = new Map<Who, Caller>();
beforeAll(async () => {
  system = await startTestService();
  for (const who of everybody) callers.set(who, await system.as(...(who === 'no role' ? [] : [who])));
});
afterAll(() => system.close());

/** A path of the route that leads to nothing that exists. */
const pathOf = (route: Route) => route.path.replaceAll(/:\w+/g, '2147483647').replaceAll(/\*\w+/g, 'x/y');

const call = async (route: Route, headers: Record<string, string>) => {
  const { status } = await system.fetch(pathOf(route), { method: route.method.toUpperCase(), headers });
  return status;
};

const verdict = (status: number) => (status === 401 || status === 403 ? status : 'let in');

describe('every route', () => {
  it('is known to this table', () => {
    const accesses = new Set(system.service.http.routes.map(({ access }) => access));
    expect(
      [...accesses].filter((access) => access !== 'public' && access !== 'signed-url' && !mayCall[access]),
    ).toEqual([]);
    expect(system.service.http.routes.length).toBeGreaterThan(45);
  });

  it('asks for what the design says', () => {
    for (const { method, path, access } of system.service.http.routes) {
      const expected = design.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1] ?? 'service:admin';
      expect([method, path, access]).toEqual([method, path, expected]);
    }
  });

  it('lets in nobody without credentials, unless it is public', async () => {
    for (const route of system.service.http.routes) {
      const expected = { public: 'let in', 'signed-url': 403 }[route.access as string] ?? 401;
      expect([route.method, route.path, verdict(await call(route, {}))]).toEqual([route.method, route.path, expected]);
    }
  });

  it.each(everybody)('lets in %s as the role table says, by token', async (who) => {
    const headers = { authorization: `Bearer ${callers.get(who)?.token}` };
    for (const route of system.service.http.routes) {
      const { access } = route;
      if (access === 'public' || access === 'signed-url') continue;
      const expected = mayCall[access].includes(who) ? 'let in' : 403;
      expect([route.method, route.path, verdict(await call(route, headers))]).toEqual([
        route.method,
        route.path,
        expected,
      ]);
    }
  });

  it.each(roles)('lets in a key with the role %s as the role table says', async (role) => {
    const headers = { 'x-api-key': await system.apiKey(callers.get('ADMIN')?.userId ?? 0, role) };
    for (const route of system.service.http.routes) {
      const { access } = route;
      if (access === 'public' || access === 'signed-url') continue;
      const expected = mayCall[access].includes(role) ? 'let in' : 403;
      expect([route.method, route.path, verdict(await call(route, headers))]).toEqual([
        route.method,
        route.path,
        expected,
      ]);
    }
  });

  it('asks who calls before it looks at the input', async () => {
    for (const route of system.service.http.routes) {
      if (route.access === 'public' || route.access === 'signed-url' || route.method === 'get') continue;
      const answer = await system.fetch(pathOf(route), {
        method: route.method.toUpperCase(),
        headers: { 'content-type': 'application/json' },
        body: '{ not json',
      });
      expect([route.path, answer.status]).toEqual([route.path, 401]);
    }
  });
});
