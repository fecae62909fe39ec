import type { Execution, ExecutionStatus } from '../../contract/executions.js';
import { createBatcher } from '../../database/batcher.js';
import type { Database } from '../../database/database.js';
import type { Notifications } from '../../database/notifications.js';
import { beforeStatus, liveStatuses, stoppedCode } from './status.js';

/** What is recorded when a command is asked for. */
export interface NewExecution {
  executionId: string;
  userId: number;
  requestId: string;
  /** Command and environment without anything that must not be seen. */
  command: string;
  env: Record<string, string>;
  imageId: string;
  secrets: readonly string[];
  git: { repo: string; ref: string | undefined; path: string | undefined } | undefined;
  timeoutSeconds: number;
  platform: string;
  masked: string | undefined;
}

/** An execution and the ids of its owners. */
export interface ExecutionRow extends Execution {
  owners: number[];
}

/** What moves executions on must know of them. */
export interface LiveExecution {
  execution_id: string;
  status: ExecutionStatus;
  task_arn: string | null;
  compute_platform: string;
  masked: string | null;
}

export const executionTopic = (executionId: string) => `execution:${executionId}`;

const columns = `x.execution_id, c.email AS created_by, x.command, x.image_id, x.secrets, x.git_repo, x.git_ref, x.git_path,
  x.status, x.exit_code, x.started_at, x.completed_at, x.duration_seconds, x.timeout, x.task_arn, x.created_by_request_id,
  x.modified_by_request_id, x.compute_platform,
  COALESCE((SELECT json_agg(u.email ORDER BY u.id) FROM "User" u WHERE u.id = ANY (x.owned_by)), '[]'::json) AS owned_by`;
const from = 'FROM "Execution" x LEFT JOIN "User" c ON c.id = x.created_by';
const live = `status IN (${liveStatuses.map((status) => `'${status}'`).join(', ')})`;
const liveColumns = 'execution_id, status, task_arn, compute_platform, masked';

const insertText = `
INSERT INTO "Execution" (execution_id, created_by, owned_by, command, image_id, env, secrets, git_repo, git_ref, git_path,
  timeout, created_by_request_id, modified_by_request_id, compute_platform, masked)
VALUES ($1, $2, ARRAY[$2::int], $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13)`;

/** Guarantee: of all who would move an execution on, each transition is made by one, and only if the table has it. */
const moveText = `
UPDATE "Execution" SET status = $2::"ExecutionStatus", modified_by_request_id = COALESCE($4, modified_by_request_id)
WHERE execution_id = $1 AND status = ANY ($3::"ExecutionStatus"[]) RETURNING ${liveColumns}`;

/**
 * Guarantee: an execution ends once. One that was to be stopped has stopped, whatever its command exited with; one that
 * succeeded has run, also when nobody told so. $1 and $2: executions, and the exit codes of their commands if they ran.
 */
const finishText = `
WITH ending AS MATERIALIZED (
  SELECT execution_id FROM "Execution" WHERE execution_id = ANY ($1) AND ${live} ORDER BY execution_id FOR UPDATE
), code AS (
  SELECT DISTINCT ON (execution_id) execution_id, exit_code
  FROM unnest($1::text[], $2::int[]) AS given (execution_id, exit_code) JOIN ending USING (execution_id)
)
UPDATE "Execution" x SET completed_at = now(),
  duration_seconds = greatest(0, round(extract(epoch FROM now() - x.started_at)))::int,
  status = CASE WHEN x.status = 'TERMINATING' THEN 'STOPPED' WHEN code.exit_code = 0 THEN 'SUCCEEDED' ELSE 'FAILED' END
    ::"ExecutionStatus",
  exit_code = CASE WHEN x.status = 'TERMINATING' THEN ${stoppedCode} ELSE code.exit_code END
FROM code WHERE x.execution_id = code.execution_id RETURNING x.execution_id, x.status, x.task_arn, x.compute_platform, x.masked`;

/** The executions of tasks: as the task was told who it is, or by the last part of its ARN. Each way has its index. */
const ofTasksText = `
SELECT given.ordinal::int - 1 AS call, found.* FROM unnest($1::text[], $2::text[]) WITH ORDINALITY
  AS given (task_id, execution_id, ordinal)
CROSS JOIN LATERAL (
  SELECT ${liveColumns} FROM "Execution" WHERE execution_id = given.execution_id
  UNION ALL
  SELECT ${liveColumns} FROM "Execution" WHERE split_part(task_arn, '/', -1) = given.task_id LIMIT 1
) found`;

/** The executions table. */
export function createRecords(database: Database, notifications: Notifications) {
  const told = <R extends { execution_id: string }>(rows: R[]): R | undefined => {
    const [row] = rows;
    if (row) notifications.publish([executionTopic(row.execution_id)]);
    return row;
  };
  const finish = createBatcher({
    async serve(calls: { executionId: string; exitCode: number | undefined }[]) {
      const rows = await database.rows<LiveExecution>('execution-finish', finishText, [
        calls.map(({ executionId }) => executionId),
        calls.map(({ exitCode }) => exitCode ?? null),
      ]);
      notifications.publish(rows.map(({ execution_id }) => executionTopic(execution_id)));
      const ended = new Map(rows.map((row) => [row.execution_id, row]));
      return calls.map(({ executionId }) => {
        const row = ended.get(executionId);
        // Of two who end it in one statement, the first ended it.
        ended.delete(executionId);
        return { row };
      });
    },
    maxWeight: 200,
    concurrency: 2,
  });
  const ofTask = createBatcher({
    async serve(calls: { taskId: string; executionId: string }[]) {
      const rows = await database.rows<LiveExecution & { call: number }>('executions-of-tasks', ofTasksText, [
        calls.map(({ taskId }) => taskId),
        calls.map(({ executionId }) => executionId),
      ]);
      const found = new Map(rows.map(({ call, ...row }) => [call, row]));
      return calls.map((_, call) => ({ row: found.get(call) }));
    },
    maxWeight: 200,
    concurrency: 2,
  });
  const move = async (executionId: string, to: ExecutionStatus, requestId?: string) =>
    told(
      await database.rows<LiveExecution>('execution-move', moveText, [
        executionId,
        to,
        beforeStatus(to),
        requestId ?? null,
      ]),
    );

  return {
    move,
    async insert(given: NewExecution): Promise<void> {
      const { git } = given;
      await database.rows('execution-insert', insertText, [
        given.executionId,
        given.userId,
        given.command,
        given.imageId,
        JSON.stringify(given.env),
        given.secrets,
        git?.repo ?? null,
        git?.ref ?? null,
        git?.path ?? null,
        given.timeoutSeconds,
        given.requestId,
        given.platform,
        given.masked ?? null,
      ]);
    },
    /** Notes the task that runs it; its status then, which a user may have changed meanwhile. */
    async setTask(executionId: string, taskArn: string): Promise<ExecutionStatus | undefined> {
      const [row] = await database.rows<{ status: ExecutionStatus }>(
        'execution-task',
        'UPDATE "Execution" SET task_arn = $2 WHERE execution_id = $1 RETURNING status',
        [executionId, taskArn],
      );
      return row?.status;
    },
    /** Ends it with the code that its command exited with, if it ran; undefined when it had ended already. */
    finish: async (executionId: string, exitCode: number | undefined): Promise<LiveExecution | undefined> =>
      (await finish({ executionId, exitCode })).row,
    async find(executionId: string): Promise<ExecutionRow | undefined> {
      const [row] = await database.rows<ExecutionRow>(
        'execution-find',
        `SELECT ${columns}, to_json(x.owned_by) AS owners ${from} WHERE x.execution_id = $1`,
        [executionId],
      );
      return row;
    },
    /** Newest first; `limit` undefined: all. */
    list: (limit: number | undefined, statuses: readonly ExecutionStatus[] | undefined): Promise<Execution[]> =>
      database.rows<Execution>(
        'execution-list',
        `SELECT ${columns} ${from} WHERE $2::"ExecutionStatus"[] IS NULL OR x.status = ANY ($2::"ExecutionStatus"[])
         ORDER BY x.started_at DESC, x.execution_id LIMIT $1`,
        [limit ?? null, statuses ?? null],
      ),
    /** Those that a request made or changed. */
    ofRequest: (requestId: string): Promise<Execution[]> =>
      database.rows<Execution>(
        'execution-request',
        `SELECT ${columns} ${from} WHERE x.created_by_request_id = $1 OR x.modified_by_request_id = $1
         ORDER BY x.started_at`,
        [requestId],
      ),
    /** Whether it has ended, and for how long; undefined: there is no such execution. */
    async endOf(executionId: string): Promise<{ ended: boolean; forMs: number; attached: boolean } | undefined> {
      const [row] = await database.rows<{ ended: boolean; forMs: number; attached: boolean }>(
        'execution-end',
        `SELECT NOT ${live} AS ended, compute_platform = 'local' AS attached,
           COALESCE(extract(epoch FROM now() - completed_at) * 1000, 0)::float8 AS "forMs"
         FROM "Execution" WHERE execution_id = $1`,
        [executionId],
      );
      return row;
    },
    /** Of these, the ones that are not to run any more. */
    async toStop(executionIds: readonly string[]): Promise<string[]> {
      const rows = await database.rows<{ execution_id: string }>(
        'execution-to-stop',
        `SELECT execution_id FROM "Execution" WHERE execution_id = ANY ($1) AND status NOT IN ('STARTING', 'RUNNING')`,
        [executionIds],
      );
      return rows.map(({ execution_id }) => execution_id);
    },
    /** The execution of a task: by its ARN's last part, or as the task was told who it is. */
    ofTask: async (taskId: string, executionId = taskId): Promise<LiveExecution | undefined> =>
      (await ofTask({ taskId, executionId })).row,
    /** How many are live, by status; each status, also where there are none. */
    async countLive(): Promise<Record<string, number>> {
      const rows = await database.rows<{ status: ExecutionStatus; count: number }>(
        'execution-count',
        `SELECT status, count(*)::int AS count FROM "Execution" WHERE ${live} GROUP BY status`,
        [],
      );
      return Object.fromEntries([
        ...liveStatuses.map((status) => [status, 0]),
        ...rows.map((row) => [row.status, row.count]),
      ]);
    },
    /** What is marked as running, and since when, in seconds. */
    live: () =>
      database.rows<LiveExecution & { age: number; timeout: number }>(
        'execution-live',
        `SELECT ${liveColumns}, timeout, extract(epoch FROM now() - started_at)::float8 AS age
         FROM "Execution" WHERE ${live} ORDER BY started_at`,
        [],
      ),
  };
}
export type Records = ReturnType<typeof createRecords>;
