import type { JobBody } from '../../contract/jobs.js';

const jobFields = `id created_at updated_at type status hash user_id input_payload
  priority attempts max_attempts cancel_requested_at progress`;
const assignmentFields = `id created_at updated_at job_id ecs_task_arn ecs_cluster_arn
  expires_at storage_scheme storage_uri heartbeat_at completed_at`;

const toColumns = (alias: string, fields: string) =>
  fields
    .split(/\s+/)
    .map((field) => `${alias}.${field}`)
    .join(', ');

/** Returns the columns of a job, for example `j.id, j.created_at, …` for the alias `j`. */
export const jobColumns = (alias: string) => toColumns(alias, jobFields);
export const assignmentColumns = (alias: string) => toColumns(alias, assignmentFields);

/** Returns the job in a row with more columns. Spelled out, because claims are a hot path. */
export const toJob = (row: JobBody): JobBody => ({
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

export const nextAssignmentId = `nextval('"JobAssignment_id_seq"')::int`;

/** Returns SQL for the location of an attempt's files: `s3://bucket/TEST/17/23` for assignment 23 of job 17. */
export const storageUri = (baseUri: string, job: string, assignmentId: string) =>
  `${baseUri} || '/' || ${job}.type || '/' || ${job}.id || '/' || ${assignmentId}`;
