import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestService } from '../../../support/service.js';

let system: TestService;
beforeAll(async () => {
  system = await startTestService();
});
afterAll(() => system.close());

describe('the headers of an answer', () => {
  it('hold a new request id, or the well-formed id of the caller', async () => {
    const id = async (sent?: string) =>
      (await system.fetch('/api/none', sent === undefined ? {} : { headers: { 'x-request-id': sent } })).headers.get(
        'x-request-id',
      );
    expect(await id()).toMatch(/^[0-9a-f-]{36}$/);
    expect(await id()).not.toBe(await id());
    expect(await id('trace-7.a_B')).toBe('trace-7.a_B');
    for (const bad of ['a b', 'x'.repeat(65), '<script>']) expect(await id(bad)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('reveal no framework and forbid caching', async () => {
    const { headers } = await system.anonymous.get('/api/health');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('forbid a browser to run scripts, but on the docs page', async () => {
    const { headers } = await system.anonymous.get('/api/health');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'");
    const page = await fetch(`${system.url}/api/docs`);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect((await fetch(`${system.url}/api/docs/swagger-ui-bundle.js`)).status).toBe(200);
  });

  it.each(['/api/health', '/api/docs'])('of %s work over plain HTTP on a laptop', async (path) => {
    const { headers } = await fetch(system.url + path);
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });
});
