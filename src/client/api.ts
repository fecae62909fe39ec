import type { ClusterStatus, Redeployed, Scaled } from '../contract/admin.js';
import type { UserBody } from '../contract/auth.js';
import type { CapacityStatus, GroupReport } from '../contract/capacity.js';
import type {
  Claim,
  CreatedJob,
  Demand,
  Downloads,
  JobBody,
  JobDetail,
  JobEvent,
  JobTypeInfo,
  Progress,
  WorkerAssignment,
} from '../contract/jobs.js';
import { createHttpClient, type HttpClientOptions } from './http.js';
import { orchestratorCalls } from './orchestrator.js';

export { ApiError, type Credentials } from './http.js';

export interface ClaimWish {
  jobTypes: readonly string[];
  ecsTaskArn: string;
  ecsClusterArn: string;
  count?: number;
  wait?: number;
}

/** The API as the command line, the capacity manager and the worker use it. Every call throws ApiError. */
export function createApi(options: HttpClientOptions) {
  const http = createHttpClient(options);
  const { call } = http;
  return {
    ...orchestratorCalls(http),
    baseUrl: http.baseUrl,
    /** GET /api, answered without an account. */
    root: () => call<{ name?: string; version?: string }>('GET', '/api'),
    /** GET /api/ready; a database that is away, or lacks migrations, is an ApiError of status 503. */
    ready: () => call<{ status: string }>('GET', '/api/ready'),
    login: (email: string, password: string) =>
      call<{ token: string; refreshToken: string }>('POST', '/api/auth/login', { body: { email, password } }),
    logout: (refreshToken: string) => call<void>('POST', '/api/auth/logout', { body: { refreshToken } }),
    profile: () => call<{ user: UserBody }>('GET', '/api/auth/profile'),

    submit: (type: string, inputPayload: unknown, priority?: number) =>
      call<CreatedJob>('POST', '/api/jobs', {
        body: { type, inputPayload, ...(priority === undefined ? {} : { priority }) },
      }),
    listJobs: (query: {
      status?: string | undefined;
      type?: string | undefined;
      limit?: number | undefined;
      cursor?: string | undefined;
    }) => call<{ jobs: JobBody[]; total: number; nextCursor: string | null }>('GET', '/api/jobs', { query }),
    job: (id: number) => call<{ job: JobDetail }>('GET', `/api/jobs/${id}`),
    cancel: (id: number) => call<{ job: JobBody }>('POST', `/api/jobs/${id}/cancel`),
    downloads: (id: number) => call<Downloads>('GET', `/api/jobs/${id}/download`),
    jobTypes: () => call<{ types: JobTypeInfo[] }>('GET', '/api/jobs/types'),
    /** The job's states as they come, until it ends. */
    async *events(id: number, signal?: AbortSignal): AsyncGenerator<JobEvent> {
      const response = await http.open(`/api/jobs/${id}/events`, signal);
      const { EventSourceParserStream } = await import('eventsource-parser/stream');
      const stream = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      for await (const { data } of stream ?? []) yield JSON.parse(data) as JobEvent;
    },

    poll: (query: { jobTypes?: string; limit?: number; wait?: number }, signal?: AbortSignal) =>
      call<{ jobs: JobBody[] }>('GET', '/api/jobs/poll', { query, signal, waitSeconds: query.wait ?? 0 }),
    assign: (jobId: number, ecsTaskArn: string, ecsClusterArn: string) =>
      call<{ assignment: WorkerAssignment }>('POST', '/api/jobs/assign', {
        body: { jobId, ecsTaskArn, ecsClusterArn },
      }),
    claim: (wish: ClaimWish, signal?: AbortSignal) =>
      call<{ claims: Claim[] }>('POST', '/api/jobs/claim', { body: wish, signal, waitSeconds: wish.wait ?? 0 }),
    heartbeat: (assignmentId: number, progress?: Progress) =>
      call<{ cancelRequested: boolean; expiresAt: string }>('POST', `/api/jobs/assignments/${assignmentId}/heartbeat`, {
        body: progress ? { progress } : {},
      }),
    report: (assignmentId: number, status: 'SUCCEEDED' | 'FAILED', resultPayload?: unknown) =>
      call<{ job: JobBody }>('POST', `/api/jobs/assignments/${assignmentId}/result`, {
        body: { status, ...(resultPayload === undefined ? {} : { resultPayload }) },
      }),
    uploadUrls: (assignmentId: number, files: readonly string[]) =>
      call<{ urls: Record<string, string> }>('POST', `/api/jobs/assignments/${assignmentId}/upload-urls`, {
        body: { files },
      }),
    release: (assignmentId: number, reason: string) =>
      call<{ job: JobBody }>('POST', `/api/jobs/assignments/${assignmentId}/release`, { body: { reason } }),
    demand: (wait: number, version?: string, signal?: AbortSignal) =>
      call<Demand>('GET', '/api/jobs/demand', { query: { wait, version }, signal, waitSeconds: wait }),

    takeLease: (holder: string, ttlSeconds: number) =>
      call<{ held: true; expiresAt: string }>('POST', '/api/capacity/lease', { body: { holder, ttlSeconds } }),
    releaseLease: (holder: string) => call<void>('DELETE', '/api/capacity/lease', { body: { holder } }),
    reportCapacity: (holder: string, groups: GroupReport[], lastError: string | null) =>
      call<{ recorded: number }>('POST', '/api/capacity/snapshots', { body: { holder, groups, lastError } }),
    clusterStatus: () => call<ClusterStatus>('GET', '/api/admin/status'),
    scaleCluster: (desiredCount: number) => call<Scaled>('POST', '/api/admin/scale', { body: { desiredCount } }),
    redeployCluster: () => call<Redeployed>('POST', '/api/admin/redeploy'),
    capacityStatus: () => call<CapacityStatus>('GET', '/api/capacity/status'),
  };
}
export type Api = ReturnType<typeof createApi>;
