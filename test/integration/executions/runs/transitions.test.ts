// The transition table as the statements on the database keep to it.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ExecutionStatus, hasEnded, executionStatuses as statuses } from '../../../../src/contract/executions.js';
import { PostgresNotifications } from '../../../../src/database/notifications.js';
import { createRecords, type Records } from '../../../../src/executions/runs/sql.js';
import { mayBecome } from '../../../../src/executions/runs/status.js';
import { startTestService, type TestService } from '../../../support/service.js';

let system: TestService;
let notifications: PostgresNotifications;
let records: Records;
beforeAll(async () => {
  system = await startTestService();
  notifications = new PostgresNotifications({
    database: system.database,
    listenUrl: system.testDatabase.url,
    onError: (error) => {
      throw error;
    },
  });
  records = createRecords(system.database, notifications);
});
afterAll(async () => {
  await notifications.close();
  await system.close();
});

const rowOf = async (id: string) => {
  const text = `SELECT status, exit_code, completed_at IS NOT NULL AS ended, modified_by_request_id
    FROM "Execution" WHERE execution_id = $1`;
  return (await system.database.pool.query(text, [id])).rows[0];
};
const insert = async (status: ExecutionStatus): Promise<string> => {
  const id = randomBytes(16).toString('hex');
  await system.database.pool.query(
    `INSERT INTO "Execution" (execution_id, owned_by, command, image_id, env, secrets, status, timeout,
       created_by_request_id, modified_by_request_id, compute_platform, completed_at, exit_code)
     VALUES ($1, '{}', 'true', 'x', '{}', '{}', $2::"ExecutionStatus", 60, 'made', 'made', 'ecs',
       CASE WHEN $3 THEN now() END, CASE WHEN $3 THEN 42 END)`,
    [id, status, hasEnded(status)],
  );
  return id;
};

describe.each(statuses)('an execution that is %s', (from) => {
  it.each(statuses)('becomes %s if the table says so, by one of many who ask', async (to) => {
    const id = await insert(from);
    const moved = await Promise.all(Array.from({ length: 5 }, (_, n) => records.move(id, to, `asked-${n}`)));
    const made = moved.filter((row) => row !== undefined).length;
    // From a status to itself there is no way, so the second of them finds none.
    expect(made).toBe(mayBecome(from, to) ? 1 : 0);
    const { status, modified_by_request_id } = await rowOf(id);
    expect(status).toBe(made ? to : from);
    expect(modified_by_request_id).toMatch(made ? /^asked-\d$/ : /^made$/);
  });

  it.each([0, 3, 124, 130, undefined])('ends once, when its command exits with %s', async (exitCode) => {
    const id = await insert(from);
    const ended = await Promise.all(Array.from({ length: 5 }, () => records.finish(id, exitCode)));
    expect(ended.filter((row) => row !== undefined)).toHaveLength(hasEnded(from) ? 0 : 1);
    const row = await rowOf(id);
    expect(row).toMatchObject(
      hasEnded(from)
        ? { status: from, exit_code: 42, ended: true }
        : from === 'TERMINATING'
          ? { status: 'STOPPED', exit_code: 130, ended: true }
          : { status: exitCode === 0 ? 'SUCCEEDED' : 'FAILED', exit_code: exitCode ?? null, ended: true },
    );
  });
});
