import { describe, expect, it } from '@jest/globals';
import { useFakeExecutionsApi } from '../../support/commands/use-fake-executions-api.js';

const { answer, run } = useFakeExecutionsApi();

describe('health', () => {
  const health = { status: 'ok', version: '1.2.3', provider: 'local' };

  it('prints the API, and exits with 1 when the API is not ready', async () => {
    answer('GET /api/v1/health', health);
    answer('GET /api/ready', { status: 'ok' });
    const ready = await run(['health']);
    expect([ready.code, ready.stdout]).toEqual([0, expect.stringMatching(/^Ready +yes$/m)]);
    answer('GET /api/ready', { status: 503, message: 'The database does not answer' }, 503);
    const notReady = await run(['health', '--json']);
    expect([notReady.code, JSON.parse(notReady.stdout)]).toEqual([
      1,
      { ...health, ready: false, reason: 'The database does not answer' },
    ]);
  });
});

describe('health reconcile', () => {
  it('prints the issues, and exits with 1 when there are errors', async () => {
    const counts = { total: 2, verified: 1 };
    const issue = { resource_type: 'execution', resource_id: 'abc', message: 'has no task' };
    const report = {
      timestamp: '2026-03-01T04:05:00.000Z',
      executions: counts,
      images: counts,
      secrets: counts,
      users: counts,
      issues: [
        { ...issue, severity: 'warning', action: 'repaired' },
        { ...issue, severity: 'error', action: 'reported' },
      ],
      reconciled_count: 1,
      error_count: 1,
    };
    answer('POST /api/v1/health/reconcile', { status: 'issues', report });
    const { code, stdout, stderr } = await run(['health', 'reconcile']);
    expect([code, stderr]).toEqual([1, '2 found, 1 repaired, 1 errors.\n']);
    expect(stdout).toMatch(/^executions +2 +1$/m);
    expect(stdout).toMatch(/^error +execution +abc +reported +has no task$/m);
    answer('POST /api/v1/health/reconcile', { status: 'ok', report: { ...report, issues: [], error_count: 0 } });
    expect((await run(['health', 'reconcile'])).code).toBe(0);
  });
});
