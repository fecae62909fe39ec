import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createErrorReporter } from '../../../src/platform/error-reports.js';
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

describe('createErrorReporter', () => {
  it('sends the error, its stack and the component for log lines of level warn and above', async () => {
    const errorReporter = await createErrorReporter(dsn(), 'capacity');
    const log = createLog('warn', { file: '/dev/null', errorReporter });
    log.info({ err: new Error('all is well') }, 'nothing to report');
    log.warn('a line without an error');
    log.warn({ err: new Error('the API is away'), password: 'hunter2' }, 'a turn failed');
    await errorReporter?.flush(2_000);
    expect(received).toHaveLength(1);
    expect(received[0]?.url).toMatch(/^\/api\/42\/envelope\//);
    const body = received[0]?.body ?? '';
    expect(body).toContain('the API is away');
    expect(body).toContain('error-reports.test');
    expect(body).toContain('"component":"capacity"');
    expect(body).not.toContain('hunter2');
  });

  it('returns undefined without a DSN', async () => {
    expect(await createErrorReporter(undefined, 'api')).toBeUndefined();
  });

  it('rejects a malformed DSN', async () => {
    await expect(createErrorReporter('https://example.com', 'api')).rejects.toThrow('Invalid SENTRY_DSN');
  });
});
