import { describe, expect, it } from '@jest/globals';
import { useFakeExecutionsApi } from '../../support/commands/use-fake-executions-api.js';

const { answer, run } = useFakeExecutionsApi();

describe('trace', () => {
  it('prints log lines and records', async () => {
    const logs = [{ timestamp: Date.UTC(2026, 2, 1), level: 'info', message: 'request', fields: { status: 202 } }];
    answer('GET /api/v1/trace/abc', {
      request_id: 'abc',
      logs,
      related_resources: { executions: [], images: [], secrets: [] },
    });
    expect((await run(['trace', 'abc'])).stdout).toBe('2026-03-01T00:00:00.000Z  info   request status=202\n');
  });
});
