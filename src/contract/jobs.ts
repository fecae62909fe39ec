import { z } from 'zod';
import { id, time } from './common.js';

export const jobStatuses = ['PENDING', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT'] as const;
export const jobStatus = z.enum(jobStatuses).meta({ id: 'JobStatus' });
export type JobStatus = z.infer<typeof jobStatus>;

export const hasEnded = (status: JobStatus): boolean => status !== 'PENDING' && status !== 'IN_PROGRESS';

export const storageScheme = z.enum(['S3', 'LOCAL']);
export type StorageScheme = z.infer<typeof storageScheme>;

/** Longest wait of a long poll in seconds. */
export const maxWaitSeconds = 30;
export const maxClaims = 100;
export const maxBatchJobs = 1000;

export const progress = z.object({ fraction: z.number(), message: z.string() }).meta({ id: 'Progress' });
export type Progress = z.infer<typeof progress>;

export const job = z
  .object({
    id,
    created_at: time,
    updated_at: time,
    type: z.string(),
    status: jobStatus,
    hash: z.string(),
    user_id: id,
    input_payload: z.unknown(),
    priority: z.int(),
    attempts: z.int(),
    max_attempts: z.int(),
    cancel_requested_at: time.nullable(),
    progress: progress.nullable(),
  })
  .meta({ id: 'Job' });
export type JobBody = z.infer<typeof job>;

export const jobResult = z
  .object({
    id,
    created_at: time,
    job_id: id,
    assignment_id: id,
    result_payload: z.unknown(),
    storage_scheme: storageScheme,
    storage_uri: z.string(),
    metadata: z.unknown(),
    cache_valid: z.boolean(),
  })
  .meta({ id: 'JobResult' });
export type JobResultBody = z.infer<typeof jobResult>;

export const assignment = z
  .object({
    id,
    created_at: time,
    updated_at: time,
    job_id: id,
    ecs_task_arn: z.string(),
    ecs_cluster_arn: z.string(),
    expires_at: time,
    storage_scheme: storageScheme,
    storage_uri: z.string(),
    heartbeat_at: time.nullable(),
    completed_at: time.nullable(),
  })
  .meta({ id: 'JobAssignment' });
export type AssignmentBody = z.infer<typeof assignment>;

/** The assignment in answers to the worker: with LOCAL storage, also the URL prefix for uploads. */
export const workerAssignment = assignment
  .extend({
    upload_url_prefix: z
      .string()
      .optional()
      .meta({ description: 'PUT each file to this prefix followed by the relative path of the file' }),
  })
  .meta({ id: 'WorkerAssignment' });
export type WorkerAssignment = z.infer<typeof workerAssignment>;

export const jobDetail = job
  .extend({
    queue_position: z
      .int()
      .nullable()
      .meta({ description: 'Waiting jobs of the same type ahead of this job, counted up to 1,000' }),
    assignments: z.array(assignment.extend({ result: jobResult.nullable() })),
  })
  .meta({ id: 'JobDetail' });
export type JobDetail = z.infer<typeof jobDetail>;

export const jobRequest = z
  .object({
    id,
    created_at: time,
    user_id: id,
    type: z.string(),
    input_payload: z.unknown(),
    cache_hash: z.string(),
    job_id: id,
  })
  .meta({ id: 'JobRequest' });

export const createdJob = z.object({ jobId: id, cached: z.boolean(), requestId: id }).meta({ id: 'CreatedJob' });
export type CreatedJob = z.infer<typeof createdJob>;

export const claim = z.object({ job, assignment: workerAssignment }).meta({ id: 'Claim' });
export type Claim = z.infer<typeof claim>;

export const reportOutcome = z
  .object({
    assignmentId: id,
    status: z.union([z.literal(200), z.literal(400), z.literal(404), z.literal(409)]),
    message: z.string().optional(),
  })
  .meta({ id: 'ReportOutcome' });
export type ReportOutcome = z.infer<typeof reportOutcome>;

export const demand = z
  .object({
    version: z.string(),
    types: z.array(
      z.object({ type: z.string(), pending: z.int(), inProgress: z.int(), oldestPendingSeconds: z.number() }),
    ),
  })
  .meta({ id: 'Demand' });
export type Demand = z.infer<typeof demand>;

export const jobTypeInfo = z
  .object({
    name: z.string(),
    inputSchema: z.unknown(),
    resultSchema: z.unknown(),
    expiryMinutes: z.number(),
    maxAttempts: z.int(),
  })
  .meta({ id: 'JobType' });
export type JobTypeInfo = z.infer<typeof jobTypeInfo>;

export const downloads = z
  .object({
    job: z.object({ id, type: z.string(), status: jobStatus }),
    files: z.record(z.string(), z.string()).meta({ description: 'URLs that expire, by relative path' }),
  })
  .meta({ id: 'Downloads' });
export type Downloads = z.infer<typeof downloads>;

/** The data of a server-sent event of `GET /api/jobs/:id/events`. */
export interface JobEvent {
  id: number;
  type: string;
  status: JobStatus;
  progress: Progress | null;
  queuePosition: number | null;
  attempts: number;
}
