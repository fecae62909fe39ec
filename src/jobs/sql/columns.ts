import type { JobBody } from '../../contract/jobs.js';

const jobFields = [
  'id',
  'created_at',
  'updated_at',
  'type',
  'status',
  'hash',
  'user_id',
  'input_payload',
  'priority',
  'attempts',
  'max_attempts',
  'cancel_requested_at',
  'progress',
] as const;

const assignmentFields = [
  'id',
  'created_at',
  'updated_at',
  'job_id',
  'ecs_task_arn',
  'ecs_cluster_arn',
  'expires_at',
  'storage_scheme',
  'storage_uri',
  'heartbeat_at',
  'completed_at',
] as const;

/** `j.id, j.created_at, …` */
export const jobColumns = (alias: string) => jobFields.map((field) => `${alias}.${field}`).join(', ');
export const assignmentColumns = (alias: string) => assignmentFields.map((field) => `${alias}.${field}`).join(', ');

/** The job in a row that holds more. */
export const pickJob = (row: JobBody): JobBody => ({
  id: row.id,
  created_at: row.created_at,
  updated_at: row.updated_at,
  type: row.type,
  status: row.status,
  hash: row.hash,
  user_id: row.user_id,
  input_payload: row.input_payload,
  priority: row.priority,
  attempts: row.attempts,
  max_attempts: row.max_attempts,
  cancel_requested_at: row.cancel_requested_at,
  progress: row.progress,
});
