import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RoleName, roles } from '../../../src/contract/auth.js';
import type { Access, Route } from '../../../src/contract/route.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

type Who = RoleName | 'no role';
const everyRole: Who[] = ['no role', ...roles];
const users: Who[] = ['no role', 'ADMIN', 'OPERATOR', 'DEVELOPER', 'VIEWER', 'ANALYST'];

/** Roles that have each access. */
const rolesByAccess: Record<Exclude<Access, 'public' | 'signed-url'>, Who[]> = {
  user: everyRole,
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
  'content:own': users,
  'jobs:create': users,
  'jobs:read': users,
  'jobs:read-all': ['ADMIN', 'ANALYST'],
  'jobs:poll': ['ADMIN', 'WORKER', 'MANAGER'],
  'jobs:work': ['ADMIN', 'WORKER'],
  'jobs:demand': ['ADMIN', 'MANAGER'],
  'jobs:invalidate': ['ADMIN'],
  'capacity:manage': ['ADMIN', 'MANAGER'],
};

/** Access that each route requires. Routes that match no pattern require `service:admin`. */
const requiredAccess: [RegExp, Access][] = [
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
const callers = new Map<Who, TestCaller>();
beforeAll(async () => {
  system = await startTestService();
  for (const who of everyRole) callers.set(who, await system.as(...(who === 'no role' ? [] : [who])));
});
afterAll(() => system.close());

/** Returns a path of the route for a resource that does not exist. */
const toPath = (route: Route) => route.path.replaceAll(/:\w+/g, '2147483647').replaceAll(/\*\w+/g, 'x/y');

const call = async (route: Route, headers: Record<string, string>) => {
  const { status } = await system.fetch(toPath(route), { method: route.method.toUpperCase(), headers });
  return status;
};

const toVerdict = (status: number) => (status === 401 || status === 403 ? status : 'allowed');

describe('every route', () => {
  it('requires an access that this table lists', () => {
    const accesses = new Set(system.service.http.routes.map(({ access }) => access));
    expect(
      [...accesses].filter((access) => access !== 'public' && access !== 'signed-url' && !rolesByAccess[access]),
    ).toEqual([]);
    expect(system.service.http.routes.length).toBeGreaterThan(45);
  });

  it('requires the access of this table', () => {
    for (const { method, path, access } of system.service.http.routes) {
      const expected = requiredAccess.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1] ?? 'service:admin';
      expect([method, path, access]).toEqual([method, path, expected]);
    }
  });

  it('refuses requests without credentials, unless the route is public', async () => {
    for (const route of system.service.http.routes) {
      const expected = { public: 'allowed', 'signed-url': 403 }[route.access as string] ?? 401;
      expect([route.method, route.path, toVerdict(await call(route, {}))]).toEqual([
        route.method,
        route.path,
        expected,
      ]);
    }
  });

  it.each(everyRole)('allows or refuses a token of %s according to the table', async (who) => {
    const headers = { authorization: `Bearer ${callers.get(who)?.token}` };
    for (const route of system.service.http.routes) {
      const { access } = route;
      if (access === 'public' || access === 'signed-url') continue;
      const expected = rolesByAccess[access].includes(who) ? 'allowed' : 403;
      expect([route.method, route.path, toVerdict(await call(route, headers))]).toEqual([
        route.method,
        route.path,
        expected,
      ]);
    }
  });

  it.each(roles)('allows or refuses an API key of the role %s according to the table', async (role) => {
    const headers = { 'x-api-key': await system.apiKey(callers.get('ADMIN')?.userId ?? 0, role) };
    for (const route of system.service.http.routes) {
      const { access } = route;
      if (access === 'public' || access === 'signed-url') continue;
      const expected = rolesByAccess[access].includes(role) ? 'allowed' : 403;
      expect([route.method, route.path, toVerdict(await call(route, headers))]).toEqual([
        route.method,
        route.path,
        expected,
      ]);
    }
  });

  it('names the missing permission in its refusal', async () => {
    const answer = await callers.get('WORKER')?.get('/api/users');
    expect([answer?.status, answer?.body.message]).toEqual([403, expect.stringContaining('users:admin')]);
  });

  it('authenticates before reading the body', async () => {
    for (const route of system.service.http.routes) {
      if (route.access === 'public' || route.access === 'signed-url' || route.method === 'get') continue;
      const answer = await system.fetch(toPath(route), {
        method: route.method.toUpperCase(),
        headers: { 'content-type': 'application/json' },
        body: '{ not json',
      });
      expect([route.path, answer.status]).toEqual([route.path, 401]);
    }
  });
});
