import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ExecutionStatus, hasEnded, executionStatuses as statuses } from '../../../../src/contract/executions.js';
import { PostgresNotifications } from '../../../../src/database/notifications.js';
import { mayBecome } from '../../../../src/executions/runs/status.js';
import { Transitions } from '../../../../src/executions/runs/transitions.js';
import { startTestService, type TestService } from '../../../support/service.js';

let system: TestService;
let notifications: PostgresNotifications;
let transitions: Transitions;
beforeAll(async () => {
  system = await startTestService();
  notifications = new PostgresNotifications({
    database: system.database,
    listenUrl: system.testDatabase.url,
    onError: (error) => {
      throw error;
    },
  });
  transitions = new Transitions(system.database, notifications);
});
afterAll(async () => {
  await notifications.close();
  await system.close();
});

const readRow = async (id: string) => {
  const text = `SELECT status, exit_code, completed_at IS NOT NULL AS ended, modified_by_request_id
    FROM "Execution" WHERE execution_id = $1`;
  return (await system.database.pool.query(text, [id])).rows[0];
};
const insert = async (status: ExecutionStatus): Promise<string> => {
  const id = randomBytes(16).toString('hex');
  await system.database.pool.query(
    `INSERT INTO "Execution" (execution_id, owned_by, command, image_id, env, secrets, status, timeout,
       created_by_request_id, modified_by_request_id, compute_platform, completed_at, exit_code)
     VALUES ($1, '{}', 'true', 'x', '{}', '{}', $2::"ExecutionStatus", 60, 'created', 'created', 'ecs',
       CASE WHEN $3 THEN now() END, CASE WHEN $3 THEN 42 END)`,
    [id, status, hasEnded(status)],
  );
  return id;
};

describe.each(statuses)('Transitions of a %s execution', (from) => {
  it.each(statuses)('move to %s if allowed, for one of five racing requests', async (to) => {
    const id = await insert(from);
    const moved = await Promise.all(Array.from({ length: 5 }, (_, n) => transitions.move(id, to, `request-${n}`)));
    const count = moved.filter((row) => row !== undefined).length;
    // No status leads to itself, so the second request finds no transition.
    expect(count).toBe(mayBecome(from, to) ? 1 : 0);
    const { status, modified_by_request_id } = await readRow(id);
    expect(status).toBe(count ? to : from);
    expect(modified_by_request_id).toMatch(count ? /^request-\d$/ : /^created$/);
  });

  it.each([0, 3, 124, 130, undefined])('finish once with exit code %s', async (exitCode) => {
    const id = await insert(from);
    const ended = await Promise.all(Array.from({ length: 5 }, () => transitions.finish(id, exitCode)));
    expect(ended.filter((row) => row !== undefined)).toHaveLength(hasEnded(from) ? 0 : 1);
    const row = await readRow(id);
    expect(row).toMatchObject(
      hasEnded(from)
        ? { status: from, exit_code: 42, ended: true }
        : from === 'TERMINATING'
          ? { status: 'STOPPED', exit_code: 130, ended: true }
          : { status: exitCode === 0 ? 'SUCCEEDED' : 'FAILED', exit_code: exitCode ?? null, ended: true },
    );
  });
});
