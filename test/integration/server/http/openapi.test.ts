import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { toOpenApiPath } from '../../../../src/server/http/openapi.js';
import { startTestService, type TestService } from '../../../support/service.js';

let system: TestService;
// biome-ignore lint/suspicious/noExplicitAny: tests read the document freely
let document: any;
beforeAll(async () => {
  system = await startTestService();
  document = (await system.anonymous.get('/api/openapi.json')).body;
});
afterAll(() => system.close());

/** The pages of `/api/docs` are not part of the document. */
const isDocs = (route: string) => route.includes('/api/docs');

/** Lists the routes of Express, for example `get /api/jobs/{id}`. */
function listRoutes(): string[] {
  return system.service.api.router.stack.flatMap(({ route }) => {
    const methods = [...new Set(route?.stack.map(({ method }) => method))];
    return methods.map((method) => `${method} ${toOpenApiPath(route?.path ?? '')}`);
  });
}
// biome-ignore lint/suspicious/noExplicitAny: tests read the document freely
const operations = (): [string, any][] =>
  Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, unknown] => [`${method} ${path}`, operation]),
  );

describe('the OpenAPI document', () => {
  it('describes exactly the routes of the server', () => {
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual(
      listRoutes()
        .filter((name) => !isDocs(name))
        .sort(),
    );
  });

  it('holds each route once', () => {
    expect(new Set(listRoutes()).size).toBe(listRoutes().length);
  });

  it('gives each operation a unique id', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z][a-zA-Z0-9]*$/);
  });

  it('states the required credentials of each route', () => {
    for (const { method, path, access } of system.service.http.routes) {
      const open = access === 'public' || access === 'signed-url';
      const { security } = document.paths[toOpenApiPath(path)][method];
      expect(security).toEqual(open ? [] : [{ bearer: [] }, { apiKey: [] }]);
    }
  });

  it('describes every path parameter', () => {
    for (const [name, { parameters = [] }] of operations()) {
      const inPath = parameters
        .filter((one: { in: string }) => one.in === 'path')
        .map((one: { name: string }) => one.name);
      expect(inPath.sort()).toEqual([...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter).sort());
    }
  });

  it('is OpenAPI 3.1 without dangling references', () => {
    expect(document.openapi).toBe('3.1.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, target = '']) => target);
    expect(references.length).toBeGreaterThan(50);
    for (const target of new Set(references)) {
      const found = target.split('/').reduce<unknown>((at, part) => Reflect.get(Object(at), part), document);
      expect([target, typeof found]).toEqual([target, 'object']);
    }
  });

  it('is browsable without resources from other origins', async () => {
    const page = await system.anonymous.get('/api/docs');
    expect(page.status).toBe(200);
    for (const [, source = ''] of String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect(source).toMatch(/^\/api\/docs\//);
      expect((await system.anonymous.get(source)).status).toBe(200);
    }
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
  });
});
