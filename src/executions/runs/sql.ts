import type { Execution, ExecutionStatus } from '../../contract/executions.js';
import type { Database } from '../../database/database.js';
import { exitCodes } from '../runners/runner.js';
import { liveStatuses, statusesBefore } from './status.js';

export interface NewExecution {
  executionId: string;
  userId: number;
  requestId: string;
  /** Command and environment, with secrets redacted. */
  command: string;
  env: Record<string, string>;
  imageId: string;
  secrets: readonly string[];
  git: { repo: string; ref: string | undefined; path: string | undefined } | undefined;
  timeoutSeconds: number;
  platform: string;
  /** Sealed values to redact in the log. */
  masked: string | undefined;
}

/** Execution with the user ids of the owners. */
export type OwnedExecution = Execution & { owners: number[] };

/** Columns for transitions. */
export interface LiveExecution {
  execution_id: string;
  status: ExecutionStatus;
  task_arn: string | null;
  compute_platform: string;
  masked: string | null;
}

/** Live execution with age and timeout, both in seconds. */
export type AgedExecution = LiveExecution & { age: number; timeout: number };

export interface ExecutionEnd {
  hasEnded: boolean;
  /** Milliseconds since the end; 0 before. */
  endedMsAgo: number;
  /** True for commands of a server, because a server stores all lines before the end. */
  isAttached: boolean;
}

/** `exitCode` is undefined when the command did not run, or ended with an unknown exit code. */
export type Ending = { executionId: string; exitCode: number | undefined };

/** Last part of a task's ARN, and id of the execution according to the task. */
export type TaskReference = { taskId: string; executionId: string };

/** Returns the topic of changes of an execution, for example `execution:9f86d081884c7d65`. */
export const executionTopic = (executionId: string) => `execution:${executionId}`;

const columns = `x.execution_id, c.email AS created_by, x.command, x.image_id, x.secrets, x.git_repo, x.git_ref, x.git_path,
  x.status, x.exit_code, x.started_at, x.completed_at, x.duration_seconds, x.timeout, x.task_arn, x.created_by_request_id,
  x.modified_by_request_id, x.compute_platform,
  COALESCE((SELECT json_agg(u.email ORDER BY u.id) FROM "User" u WHERE u.id = ANY (x.owned_by)), '[]'::json) AS owned_by`;
const fromExecutions = 'FROM "Execution" x LEFT JOIN "User" c ON c.id = x.created_by';
const isLive = `status IN (${liveStatuses.map((status) => `'${status}'`).join(', ')})`;
const liveColumns = 'execution_id, status, task_arn, compute_platform, masked';

const insertSql = `
INSERT INTO "Execution" (execution_id, created_by, owned_by, command, image_id, env, secrets, git_repo, git_ref, git_path,
  timeout, created_by_request_id, modified_by_request_id, compute_platform, masked)
VALUES ($1, $2, ARRAY[$2::int], $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13)`;

export async function insertExecution(database: Database, execution: NewExecution): Promise<void> {
  const { executionId, userId, requestId, command, imageId, env, secrets, git, timeoutSeconds } = execution;
  const commandValues = [executionId, userId, command, imageId, JSON.stringify(env), secrets];
  const gitValues = [git?.repo ?? null, git?.ref ?? null, git?.path ?? null];
  const otherValues = [timeoutSeconds, requestId, execution.platform, execution.masked ?? null];
  await database.rows('execution-insert', insertSql, [...commandValues, ...gitValues, ...otherValues]);
}

const moveSql = `
UPDATE "Execution" SET status = $2::"ExecutionStatus", modified_by_request_id = COALESCE($4, modified_by_request_id)
WHERE execution_id = $1 AND status = ANY ($3::"ExecutionStatus"[]) RETURNING ${liveColumns}`;

/** Changes the status, or returns undefined when the present status forbids that. Of racing callers one succeeds. */
export async function moveExecution(database: Database, executionId: string, to: ExecutionStatus, requestId?: string) {
  const values = [executionId, to, statusesBefore(to), requestId ?? null];
  return (await database.rows<LiveExecution>('execution-move', moveSql, values))[0];
}

const finishSql = `
WITH ending AS MATERIALIZED (
  SELECT execution_id FROM "Execution" WHERE execution_id = ANY ($1) AND ${isLive} ORDER BY execution_id FOR UPDATE
), code AS (
  SELECT DISTINCT ON (execution_id) execution_id, exit_code
  FROM unnest($1::text[], $2::int[]) AS request (execution_id, exit_code) JOIN ending USING (execution_id)
)
UPDATE "Execution" x SET completed_at = now(),
  duration_seconds = greatest(0, round(extract(epoch FROM now() - x.started_at)))::int,
  status = CASE WHEN x.status = 'TERMINATING' THEN 'STOPPED' WHEN code.exit_code = 0 THEN 'SUCCEEDED' ELSE 'FAILED' END
    ::"ExecutionStatus",
  exit_code = CASE WHEN x.status = 'TERMINATING' THEN ${exitCodes.stopped} ELSE code.exit_code END
FROM code WHERE x.execution_id = code.execution_id RETURNING x.execution_id, x.status, x.task_arn, x.compute_platform, x.masked`;

/** Ends live executions, each once, and returns the rows. `TERMINATING` becomes `STOPPED`, whatever the exit code. */
export function finishExecutions(database: Database, endings: readonly Ending[]): Promise<LiveExecution[]> {
  return database.rows<LiveExecution>('execution-finish', finishSql, [
    endings.map(({ executionId }) => executionId),
    endings.map(({ exitCode }) => exitCode ?? null),
  ]);
}

// Searches by execution id and by task id separately, because each search has an index.
const findByTasksSql = `
SELECT task.ordinal::int - 1 AS index, match.* FROM unnest($1::text[], $2::text[]) WITH ORDINALITY
  AS task (task_id, execution_id, ordinal)
CROSS JOIN LATERAL (
  SELECT ${liveColumns} FROM "Execution" WHERE execution_id = task.execution_id
  UNION ALL
  SELECT ${liveColumns} FROM "Execution" WHERE split_part(task_arn, '/', -1) = task.task_id LIMIT 1
) match`;

/** Returns the execution of each task, at the index of the task; undefined for tasks without an execution. */
export async function findExecutionsOfTasks(database: Database, tasks: readonly TaskReference[]) {
  const rows = await database.rows<LiveExecution & { index: number }>('executions-of-tasks', findByTasksSql, [
    tasks.map(({ taskId }) => taskId),
    tasks.map(({ executionId }) => executionId),
  ]);
  const executions = new Map(rows.map(({ index, ...execution }) => [index, execution]));
  return tasks.map((_, index) => executions.get(index));
}

/** Records the task of an execution. Returns the status, because a user may have stopped the launching execution. */
export async function setTask(database: Database, executionId: string, taskArn: string) {
  const setTaskSql = 'UPDATE "Execution" SET task_arn = $2 WHERE execution_id = $1 RETURNING status';
  const [row] = await database.rows<{ status: ExecutionStatus }>('execution-task', setTaskSql, [executionId, taskArn]);
  return row?.status;
}

export async function findExecution(database: Database, executionId: string): Promise<OwnedExecution | undefined> {
  const findSql = `SELECT ${columns}, to_json(x.owned_by) AS owners ${fromExecutions} WHERE x.execution_id = $1`;
  return (await database.rows<OwnedExecution>('execution-find', findSql, [executionId]))[0];
}

const listSql = `
SELECT ${columns} ${fromExecutions} WHERE $2::"ExecutionStatus"[] IS NULL OR x.status = ANY ($2::"ExecutionStatus"[])
ORDER BY x.started_at DESC, x.execution_id LIMIT $1`;

/** Returns executions, newest first. Without `limit` or `statuses` returns all. */
export function listExecutions(database: Database, limit?: number, statuses?: readonly ExecutionStatus[]) {
  return database.rows<Execution>('execution-list', listSql, [limit ?? null, statuses ?? null]);
}

/** Returns the executions created or changed by a request. */
export function listExecutionsOfRequest(database: Database, requestId: string): Promise<Execution[]> {
  const byRequestSql = `SELECT ${columns} ${fromExecutions}
    WHERE x.created_by_request_id = $1 OR x.modified_by_request_id = $1 ORDER BY x.started_at`;
  return database.rows<Execution>('execution-request', byRequestSql, [requestId]);
}

const readEndSql = `
SELECT NOT ${isLive} AS "hasEnded", compute_platform = 'local' AS "isAttached",
  COALESCE(extract(epoch FROM now() - completed_at) * 1000, 0)::float8 AS "endedMsAgo"
FROM "Execution" WHERE execution_id = $1`;

/** Returns undefined for an unknown execution. */
export async function readExecutionEnd(database: Database, executionId: string): Promise<ExecutionEnd | undefined> {
  return (await database.rows<ExecutionEnd>('execution-end', readEndSql, [executionId]))[0];
}

/** Returns the executions to stop among `executionIds`. */
export async function filterStopRequested(database: Database, executionIds: readonly string[]): Promise<string[]> {
  const stopRequestedSql = `
    SELECT execution_id FROM "Execution" WHERE execution_id = ANY ($1) AND status NOT IN ('STARTING', 'RUNNING')`;
  const rows = await database.rows<{ execution_id: string }>('execution-to-stop', stopRequestedSql, [executionIds]);
  return rows.map(({ execution_id }) => execution_id);
}

/** Returns the number of live executions by status, for example `{ STARTING: 0, RUNNING: 3, TERMINATING: 0 }`. */
export async function countLiveExecutions(database: Database): Promise<Record<string, number>> {
  const countSql = `SELECT status, count(*)::int AS count FROM "Execution" WHERE ${isLive} GROUP BY status`;
  const rows = await database.rows<{ status: ExecutionStatus; count: number }>('execution-count', countSql, []);
  return Object.fromEntries([
    ...liveStatuses.map((status) => [status, 0]),
    ...rows.map(({ status, count }) => [status, count]),
  ]);
}

export function listLiveExecutions(database: Database): Promise<AgedExecution[]> {
  const listLiveSql = `
    SELECT ${liveColumns}, timeout, extract(epoch FROM now() - started_at)::float8 AS age
    FROM "Execution" WHERE ${isLive} ORDER BY started_at`;
  return database.rows<AgedExecution>('execution-live', listLiveSql, []);
}
