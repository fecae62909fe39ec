import type {
  Claim,
  CreatedJob,
  Downloads,
  JobBody,
  JobDetail,
  JobEvent,
  JobTypeInfo,
  Progress,
  WorkerAssignment,
} from '../contract/jobs.js';
import type { HttpClient } from './http.js';

interface JobsQuery {
  status?: string | undefined;
  type?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

interface ClaimRequest {
  jobTypes: readonly string[];
  ecsTaskArn: string;
  ecsClusterArn: string;
  count?: number;
  /** Seconds to wait for a job. */
  wait?: number;
}

export function jobCalls(http: HttpClient) {
  const { call } = http;
  return {
    submit: (type: string, inputPayload: unknown, priority?: number) =>
      call<CreatedJob>('POST', '/api/jobs', { body: { type, inputPayload, priority } }),
    listJobs: (query: JobsQuery) =>
      call<{ jobs: JobBody[]; total: number; nextCursor: string | null }>('GET', '/api/jobs', { query: { ...query } }),
    job: (id: number) => call<{ job: JobDetail }>('GET', `/api/jobs/${id}`),
    cancel: (id: number) => call<{ job: JobBody }>('POST', `/api/jobs/${id}/cancel`),
    downloads: (id: number) => call<Downloads>('GET', `/api/jobs/${id}/download`),
    jobTypes: () => call<{ types: JobTypeInfo[] }>('GET', '/api/jobs/types'),
    /** Yields the states of a job until the job ends. */
    async *events(id: number, signal?: AbortSignal): AsyncGenerator<JobEvent> {
      const response = await http.open(`/api/jobs/${id}/events`, signal);
      const { EventSourceParserStream } = await import('eventsource-parser/stream');
      const stream = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      for await (const { data } of stream ?? []) yield JSON.parse(data) as JobEvent;
    },
  };
}

/** Returns the calls of a worker: take jobs, and report on assignments. */
export function workerCalls({ call }: HttpClient) {
  const assignmentPath = (id: number) => `/api/jobs/assignments/${id}`;
  return {
    poll: (query: { jobTypes?: string; limit?: number; wait?: number }, signal?: AbortSignal) =>
      call<{ jobs: JobBody[] }>('GET', '/api/jobs/poll', { query, signal, waitSeconds: query.wait ?? 0 }),
    assign: (jobId: number, ecsTaskArn: string, ecsClusterArn: string) =>
      call<{ assignment: WorkerAssignment }>('POST', '/api/jobs/assign', {
        body: { jobId, ecsTaskArn, ecsClusterArn },
      }),
    claim: (request: ClaimRequest, signal?: AbortSignal) =>
      call<{ claims: Claim[] }>('POST', '/api/jobs/claim', { body: request, signal, waitSeconds: request.wait ?? 0 }),
    heartbeat: (assignmentId: number, progress?: Progress) =>
      call<{ cancelRequested: boolean; expiresAt: string }>('POST', `${assignmentPath(assignmentId)}/heartbeat`, {
        body: { progress },
      }),
    report: (assignmentId: number, status: 'SUCCEEDED' | 'FAILED', resultPayload?: unknown) =>
      call<{ job: JobBody }>('POST', `${assignmentPath(assignmentId)}/result`, { body: { status, resultPayload } }),
    uploadUrls: (assignmentId: number, files: readonly string[]) =>
      call<{ urls: Record<string, string> }>('POST', `${assignmentPath(assignmentId)}/upload-urls`, {
        body: { files },
      }),
    release: (assignmentId: number, reason: string) =>
      call<{ job: JobBody }>('POST', `${assignmentPath(assignmentId)}/release`, { body: { reason } }),
  };
}
