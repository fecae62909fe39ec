import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestService } from '../../../support/service.js';

let system: TestService;
beforeAll(async () => {
  system = await startTestService({ env: { ALLOWED_ORIGINS: 'https://reef.example, https://b.example' } });
});
afterAll(() => system.close());

describe('CORS', () => {
  const send = (origin: string, init: RequestInit = {}) =>
    system.fetch('/api/health', { ...init, headers: { origin, ...init.headers } });
  const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } };

  it.each(['https://reef.example', 'https://b.example'])('allows pages of %s', async (origin) => {
    expect((await send(origin)).headers.get('access-control-allow-origin')).toBe(origin);
    const answer = await send(origin, preflight);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-headers')).toMatch(/Authorization.*X-API-Key/);
    expect(answer.headers.get('vary')).toMatch(/Origin/i);
  });

  it.each(['https://evil.example', 'http://reef.example', 'https://reef.example.evil.example', 'null'])(
    'refuses pages of %s',
    async (origin) => {
      for (const init of [{}, preflight]) {
        expect((await send(origin, init)).headers.get('access-control-allow-origin')).toBeNull();
      }
    },
  );

  it('allows no credentials', async () => {
    expect((await send('https://reef.example')).headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('leaves an OPTIONS request without a preflight header to the routes', async () => {
    expect((await send('https://reef.example', { method: 'OPTIONS' })).status).not.toBe(204);
  });
});
