import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { errorReports } from '../../../src/platform/error-reports.js';
import { createLog } from '../../../src/platform/log.js';

let received: { url: string | undefined; body: string }[];
let server: ReturnType<typeof createServer>;
beforeEach(async () => {
  received = [];
  server = createServer(async (request, response) => {
    received.push({ url: request.url, body: await text(request) });
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const dsn = () => {
  const address = server.address();
  return `http://0123456789abcdef@127.0.0.1:${typeof address === 'object' ? address?.port : ''}/42`;
};

describe('error reports', () => {
  it('hold the error, its stack and the component, of lines from warn on', async () => {
    const reports = await errorReports(dsn(), 'capacity');
    const log = createLog('warn', { file: '/dev/null', reports });
    log.info({ err: new Error('all is well') }, 'nothing to report');
    log.warn('a line without an error');
    log.warn({ err: new Error('the API is away'), password: 'hunter2' }, 'a turn failed');
    await reports?.flush(2_000);
    expect(received).toHaveLength(1);
    expect(received[0]?.url).toMatch(/^\/api\/42\/envelope\//);
    const body = received[0]?.body ?? '';
    expect(body).toContain('the API is away');
    expect(body).toContain('error-reports.test');
    expect(body).toContain('"component":"capacity"');
    expect(body).not.toContain('hunter2');
  });

  it('are off without a DSN', async () => {
    expect(await errorReports(undefined, 'api')).toBeUndefined();
  });

  it('refuse what is no DSN', async () => {
    await expect(errorReports('https://example.com', 'api')).rejects.toThrow('SENTRY_DSN is no Sentry DSN');
  });
});
