import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { serverEnvironment } from '../../../../src/environment/server.js';
import { parseEnvironment } from '../../../../src/environment/variables.js';
import { type Assembled, assemble } from '../../../../src/server/assemble.js';
import { close } from '../../../../src/server/lambda/api.js';
import { type Gateway, serveBehindGateway } from '../../../../src/server/lambda/api-gateway.js';
import {
  authorize,
  type LambdaFixture,
  parseBody,
  startLambdaFixture,
  toEventV2,
  worker,
} from '../../../support/lambda.js';

let fixture: LambdaFixture;
/** The app of the function, with a lower limit than the 20 s of Lambda. */
let assembled: Assembled;
let gateway: Gateway;
beforeAll(async () => {
  fixture = await startLambdaFixture();
  assembled = await assemble({
    environment: parseEnvironment(serverEnvironment, {
      ...process.env,
      ...fixture.keys,
      NODE_ENV: 'production',
      TRUST_PROXY: '1',
    }),
    home: fixture.home,
    log: pino({ level: 'silent' }),
    maxRequestMs: 500,
  });
  gateway = await serveBehindGateway(assembled.service.api);
}, 60_000);
afterAll(async () => {
  await close();
  await gateway.close();
  await assembled.close();
  await fixture.close();
});

describe('a waiting request on Lambda', () => {
  const measure = async (event: unknown) => {
    const startedAt = performance.now();
    const answer = await gateway.handle(event);
    return { answer, ms: performance.now() - startedAt };
  };

  it('is answered after maxRequestMs instead of its own wait', async () => {
    const headers = await authorize(worker);
    const body = JSON.stringify({ jobTypes: ['TEST'], wait: 25, ecsTaskArn: 'task', ecsClusterArn: 'cluster' });
    const { answer, ms } = await measure(toEventV2('/api/jobs/claim', { method: 'POST', headers, body }));
    expect([answer.statusCode, parseBody(answer)]).toEqual([200, { claims: [] }]);
    expect(ms).toBeGreaterThan(400);
    expect(ms).toBeLessThan(10_000);
  });

  it('for server-sent events is answered with the events until then', async () => {
    const headers = await authorize();
    const { jobId } = parseBody(
      await gateway.handle(
        toEventV2('/api/jobs', {
          method: 'POST',
          headers,
          body: JSON.stringify({ type: 'TEST', inputPayload: { id: 1 } }),
        }),
      ),
    );
    const { answer, ms } = await measure(toEventV2(`/api/jobs/${jobId}/events`, { headers }));
    expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: false });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.body).toMatch(/^event: job\ndata: \{.*\}\n\n$/);
    expect(ms).toBeGreaterThan(400);
    expect(ms).toBeLessThan(10_000);
  });

  it('is counted as answered in the metrics', async () => {
    expect((await gateway.handle(toEventV2('/metrics'))).body).toMatch(/route="\/api\/jobs\/claim",status="200"/);
    expect((await gateway.handle(toEventV2('/metrics'))).body).not.toContain('status="499"');
  });
});
