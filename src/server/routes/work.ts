import { can } from '../../accounts/caller.js';
import { jobRoutes } from '../../contract/job-routes.js';
import type { Work } from '../../jobs/claims.js';
import type { AssignedJob } from '../../jobs/sql/assign.js';
import type { Metrics } from '../http/metrics.js';
import type { Http } from '../http/routes.js';

const defaultPollLimit = 10;

function pollTypes({ jobType, jobTypes }: { jobType?: string | undefined; jobTypes?: string | undefined }) {
  const named = [...(jobType ? [jobType] : []), ...(jobTypes?.split(',') ?? [])]
    .map((type) => type.trim())
    .filter(Boolean);
  return named.length > 0 ? [...new Set(named)] : undefined;
}

/** The workers' side of jobs, and the demand that the capacity manager reads. */
export function workRoutesOn(http: Http, work: Work, metrics: Metrics): void {
  const observe = ({ job, assignment }: AssignedJob) => {
    const seconds = (Date.parse(assignment.created_at) - Date.parse(job.created_at)) / 1000;
    metrics.observeClaim(job.type, Math.max(0, seconds));
  };
  http.guarded(jobRoutes.poll, async ({ query }, { signal, caller, request }) => {
    const takes = can(caller, 'jobs:work');
    const jobs = await work.poll({
      types: pollTypes(query),
      limit: query.limit ?? defaultPollLimit,
      waitSeconds: query.wait ?? 0,
      caller: takes ? `${request.socket.remoteAddress}:${request.socket.remotePort}` : undefined,
      signal,
    });
    return { jobs };
  });
  http.guarded(jobRoutes.demand, ({ query }, { signal }) => work.demand(query.wait ?? 0, query.version, signal));
  http.guarded(jobRoutes.assign, async ({ body }, { apiUrl }) => {
    const assigned = await work.assign(body.jobId, body.ecsTaskArn, body.ecsClusterArn, apiUrl);
    observe(assigned);
    return { assignment: assigned.assignment };
  });
  http.guarded(jobRoutes.claim, async ({ body }, { apiUrl, signal }) => {
    const claims = await work.claim({
      types: body.jobTypes,
      taskArn: body.ecsTaskArn,
      clusterArn: body.ecsClusterArn,
      count: body.count ?? 1,
      waitSeconds: body.wait ?? 0,
      apiUrl,
      signal,
    });
    for (const claim of claims) observe(claim);
    return { claims };
  });
  http.guarded(jobRoutes.results, async ({ body }) => ({
    results: await work.reportAll(
      body.results.map(({ resultPayload: payload, ...report }) => ({ ...report, payload })),
    ),
  }));
  http.guarded(jobRoutes.heartbeat, async ({ params, body }) => {
    const { cancelRequested, expiresAt } = await work.heartbeat(params.id, body?.progress);
    return { cancelRequested, expiresAt };
  });
  http.guarded(jobRoutes.result, async ({ params, body }) => ({
    job: await work.report({ assignmentId: params.id, status: body.status, payload: body.resultPayload }),
  }));
  http.guarded(jobRoutes.uploadUrls, async ({ params, body }, { apiUrl }) => ({
    urls: await work.uploadUrls(params.id, body.files, apiUrl),
  }));
  http.guarded(jobRoutes.release, async ({ params }) => ({ job: await work.release(params.id) }));
}
