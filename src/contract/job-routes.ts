import { z } from 'zod';
import { id, idParams, idText, nextCursor, time, wholeNumber } from './common.js';
import {
  claim,
  createdJob,
  demand,
  downloads,
  job,
  jobDetail,
  jobRequest,
  jobStatus,
  jobTypeInfo,
  maxBatchJobs,
  maxClaims,
  maxWaitSeconds,
  reportOutcome,
  workerAssignment,
} from './jobs.js';
import { defineRoute } from './route.js';

const payload = z.unknown().meta({ description: 'Validated against the schema of the job type' });
const typeName = z.string().min(1).max(100);
const arn = z.string().min(1).max(2048);
const wait = wholeNumber(0, maxWaitSeconds);
const reportedStatus = z.enum(['SUCCEEDED', 'FAILED']);

const newJob = z.strictObject({
  type: typeName,
  inputPayload: payload,
  priority: z.int().min(-2_147_483_648).max(2_147_483_647).optional(),
});

const tag = 'Jobs';
const workers = 'Workers';
const oneJob = z.object({ job });
const filePath = z.object({ path: z.array(z.string()) });

export const jobRoutes = {
  create: defineRoute({
    method: 'post',
    path: '/api/jobs',
    tag,
    summary: 'Submit a job, or join an equal job that is live or succeeded',
    access: 'jobs:create',
    body: newJob,
    responses: { 200: { description: 'The submitted or joined job', body: createdJob } },
  }),
  batch: defineRoute({
    method: 'post',
    path: '/api/jobs/batch',
    tag,
    summary: 'Submit up to 1,000 jobs, all or none',
    access: 'jobs:create',
    body: z.strictObject({ jobs: z.array(newJob).min(1).max(maxBatchJobs) }),
    responses: {
      200: {
        description: 'The submitted or joined jobs, in the order of the body',
        body: z.object({ results: z.array(createdJob) }),
      },
    },
  }),
  list: defineRoute({
    method: 'get',
    path: '/api/jobs',
    tag,
    summary: 'List your jobs, newest first; ADMIN and ANALYST see every job',
    access: 'jobs:read',
    query: z.strictObject({
      status: jobStatus.optional(),
      type: typeName.optional(),
      limit: wholeNumber(1, 500).optional(),
      cursor: idText.optional(),
    }),
    responses: {
      200: { description: 'A page of jobs', body: z.object({ jobs: z.array(job), total: z.int(), nextCursor }) },
    },
  }),
  requests: defineRoute({
    method: 'get',
    path: '/api/jobs/requests',
    tag,
    summary: 'List your requests, newest first; ADMIN and ANALYST see every request',
    access: 'jobs:read',
    query: z.strictObject({
      type: typeName.optional(),
      limit: wholeNumber(1, 500).optional(),
      cursor: idText.optional(),
    }),
    responses: {
      200: {
        description: 'A page of requests',
        body: z.object({ jobRequests: z.array(jobRequest), total: z.int(), nextCursor }),
      },
    },
  }),
  types: defineRoute({
    method: 'get',
    path: '/api/jobs/types',
    tag,
    summary: 'List the job types with their JSON Schemas',
    access: 'user',
    responses: { 200: { description: 'The job types', body: z.object({ types: z.array(jobTypeInfo) }) } },
  }),
  poll: defineRoute({
    method: 'get',
    path: '/api/jobs/poll',
    tag: workers,
    summary: 'List waiting jobs; without a type, the oldest of every type',
    access: 'jobs:poll',
    query: z.strictObject({
      jobType: typeName.optional(),
      jobTypes: z.string().min(1).max(2000).optional().meta({ description: 'Comma-separated' }),
      limit: wholeNumber(1, 500).optional(),
      wait: wait.optional(),
    }),
    responses: { 200: { description: 'Jobs without an assignment', body: z.object({ jobs: z.array(job) }) } },
  }),
  demand: defineRoute({
    method: 'get',
    path: '/api/jobs/demand',
    tag: 'Capacity',
    summary: 'Count waiting and running jobs by type',
    access: 'jobs:demand',
    query: z.strictObject({ wait: wait.optional(), version: z.string().max(100).optional() }),
    responses: { 200: { description: 'The demand', body: demand } },
  }),
  assign: defineRoute({
    method: 'post',
    path: '/api/jobs/assign',
    tag: workers,
    summary: 'Assign a polled job to the caller',
    access: 'jobs:work',
    body: z.strictObject({ jobId: id, ecsTaskArn: arn, ecsClusterArn: arn }),
    responses: { 200: { description: 'The assignment', body: z.object({ assignment: workerAssignment }) } },
  }),
  claim: defineRoute({
    method: 'post',
    path: '/api/jobs/claim',
    tag: workers,
    summary: 'Claim waiting jobs in one atomic step; `wait` waits for jobs',
    access: 'jobs:work',
    body: z.strictObject({
      jobTypes: z.array(typeName).min(1).max(100),
      ecsTaskArn: arn,
      ecsClusterArn: arn,
      count: z.int().min(1).max(maxClaims).optional(),
      wait: z.number().min(0).max(maxWaitSeconds).optional(),
    }),
    responses: {
      200: { description: 'The claims; empty when no job waits', body: z.object({ claims: z.array(claim) }) },
    },
  }),
  results: defineRoute({
    method: 'post',
    path: '/api/jobs/results',
    tag: workers,
    summary: 'Report up to 100 results, each answered on its own',
    access: 'jobs:work',
    body: z.strictObject({
      results: z
        .array(z.strictObject({ assignmentId: id, status: reportedStatus, resultPayload: payload.optional() }))
        .min(1)
        .max(maxClaims),
    }),
    responses: {
      200: {
        description: 'The outcomes, in the order of the body',
        body: z.object({ results: z.array(reportOutcome) }),
      },
    },
  }),
  heartbeat: defineRoute({
    method: 'post',
    path: '/api/jobs/assignments/:id/heartbeat',
    tag: workers,
    summary: 'Report that the worker is alive, and its progress',
    access: 'jobs:work',
    params: idParams,
    body: z
      .strictObject({
        progress: z
          .strictObject({ fraction: z.number().min(0).max(1), message: z.string().max(1000).default('') })
          .optional(),
      })
      .optional(),
    responses: {
      200: {
        description: 'The time until which the assignment is valid',
        body: z.object({ cancelRequested: z.boolean(), expiresAt: time }),
      },
    },
  }),
  result: defineRoute({
    method: 'post',
    path: '/api/jobs/assignments/:id/result',
    tag: workers,
    summary: 'Report the result of a job',
    access: 'jobs:work',
    params: idParams,
    body: z.strictObject({ status: reportedStatus, resultPayload: payload.optional() }),
    responses: { 200: { description: 'The ended job', body: oneJob } },
  }),
  uploadUrls: defineRoute({
    method: 'post',
    path: '/api/jobs/assignments/:id/upload-urls',
    tag: workers,
    summary: 'Get URLs to upload result files, for a worker without credentials of the storage',
    access: 'jobs:work',
    params: idParams,
    body: z.strictObject({ files: z.array(z.string().min(1).max(1024)).min(1).max(100) }),
    responses: { 200: { description: 'URLs by file', body: z.object({ urls: z.record(z.string(), z.url()) }) } },
  }),
  release: defineRoute({
    method: 'post',
    path: '/api/jobs/assignments/:id/release',
    tag: workers,
    summary: 'Return the job to the queue without using up an attempt',
    access: 'jobs:work',
    params: idParams,
    body: z.strictObject({ reason: z.string().max(1000).optional() }).optional(),
    responses: { 200: { description: 'The waiting job', body: oneJob } },
  }),
  invalidate: defineRoute({
    method: 'post',
    path: '/api/jobs/cache/invalidate',
    tag,
    summary: 'Exclude the results of a job type from reuse',
    access: 'jobs:invalidate',
    body: z.strictObject({ type: typeName }),
    responses: { 200: { description: 'The number of excluded results', body: z.object({ invalidated: z.int() }) } },
  }),
  download: defineRoute({
    method: 'get',
    path: '/api/jobs/:id/download',
    tag,
    summary: 'Get URLs of the result files',
    access: 'jobs:read',
    params: idParams,
    query: z.strictObject({ expirySeconds: wholeNumber(1, 604_800).optional() }),
    responses: { 200: { description: 'URLs by relative path', body: downloads } },
  }),
  events: defineRoute({
    method: 'get',
    path: '/api/jobs/:id/events',
    tag,
    summary: 'Follow status and progress as server-sent events until the job ends',
    access: 'jobs:read',
    params: idParams,
    responses: { 200: { description: 'The events', contentType: 'text/event-stream' } },
  }),
  cancel: defineRoute({
    method: 'post',
    path: '/api/jobs/:id/cancel',
    tag,
    summary: 'Cancel a job that has not ended',
    access: 'jobs:read',
    params: idParams,
    responses: { 200: { description: 'The cancelled job', body: oneJob } },
  }),
  upload: defineRoute({
    method: 'put',
    path: '/api/jobs/files/*path',
    tag: 'Files',
    summary: 'Upload a result file (LOCAL storage, signed URL)',
    access: 'signed-url',
    params: filePath,
    bodyContentType: 'application/octet-stream',
    responses: { 201: { description: 'The file was stored' } },
  }),
  file: defineRoute({
    method: 'get',
    path: '/api/jobs/files/*path',
    tag: 'Files',
    summary: 'Download a result file (LOCAL storage, signed URL)',
    access: 'signed-url',
    params: filePath,
    responses: {
      200: { description: 'The file', contentType: 'application/octet-stream' },
      206: { description: 'The part that `Range` asks for', contentType: 'application/octet-stream' },
      304: { description: 'The copy that `If-None-Match` or `If-Modified-Since` names is current' },
      412: { description: 'The file is not the version that `If-Match` or `If-Unmodified-Since` names' },
      416: { description: 'No part of the file is in the range; `Content-Range` holds the size of the file' },
    },
  }),
  get: defineRoute({
    method: 'get',
    path: '/api/jobs/:id',
    tag,
    summary: 'Get a job with its assignments and results',
    access: 'jobs:read',
    params: idParams,
    responses: { 200: { description: 'The job', body: z.object({ job: jobDetail }) } },
  }),
};
