import { can } from '../../accounts/caller.js';
import { jobRoutes } from '../../contract/job-routes.js';
import { waitForDemand } from '../../jobs/demand-watch.js';
import { getUploadUrls } from '../../jobs/file-urls.js';
import type { Jobs } from '../../jobs/jobs.js';
import { reportHeartbeat } from '../../jobs/reports.js';
import { releaseAssignment } from '../../jobs/requeue.js';
import type { AssignedJob } from '../../jobs/sql/assign.js';
import type { Metrics } from '../http/metrics.js';
import type { Http } from '../http/routes.js';

const defaultPollLimit = 10;
const toMs = (seconds = 0) => seconds * 1000;

/** Reads both ways to name types, for example `jobType=A` and `jobTypes=A,B`. Returns undefined when neither names a type. */
function toTypes({ jobType = '', jobTypes = '' }: { jobType?: string | undefined; jobTypes?: string | undefined }) {
  const types = [jobType, ...jobTypes.split(',')].map((type) => type.trim()).filter(Boolean);
  return types.length > 0 ? [...new Set(types)] : undefined;
}

export function addWorkerRoutes(http: Http, jobs: Jobs, metrics: Metrics): void {
  const observe = ({ job, assignment }: AssignedJob) => {
    const seconds = (Date.parse(assignment.created_at) - Date.parse(job.created_at)) / 1000;
    metrics.observeClaim(job.type, Math.max(0, seconds));
  };
  http.guarded(jobRoutes.poll, async ({ query }, { signal, caller, request }) => ({
    jobs: await jobs.polling.poll({
      types: toTypes(query),
      limit: query.limit ?? defaultPollLimit,
      waitMs: toMs(query.wait),
      worker: can(caller, 'jobs:work') ? `${request.socket.remoteAddress}:${request.socket.remotePort}` : undefined,
      signal,
    }),
  }));
  http.guarded(jobRoutes.demand, ({ query }, { signal }) =>
    waitForDemand(jobs, { waitMs: toMs(query.wait), version: query.version }, signal),
  );
  http.guarded(jobRoutes.assign, async ({ body }, { apiUrl }) => {
    const request = { jobId: body.jobId, taskArn: body.ecsTaskArn, clusterArn: body.ecsClusterArn };
    const assigned = await jobs.claims.assign(request, apiUrl);
    observe(assigned);
    return { assignment: assigned.assignment };
  });
  http.guarded(jobRoutes.claim, async ({ body }, { apiUrl, signal }) => {
    const { jobTypes: types, ecsTaskArn: taskArn, ecsClusterArn: clusterArn, count = 1, wait } = body;
    const request = { types, taskArn, clusterArn, count, waitMs: toMs(wait), signal };
    const claims = await jobs.claims.claim(request, apiUrl);
    for (const claim of claims) observe(claim);
    return { claims };
  });
  http.guarded(jobRoutes.results, async ({ body }) => ({ results: await jobs.reports.reportAll(body.results) }));
  http.guarded(jobRoutes.heartbeat, async ({ params, body }) => {
    const { cancelRequested, expiresAt } = await reportHeartbeat(jobs, params.id, body?.progress);
    return { cancelRequested, expiresAt };
  });
  http.guarded(jobRoutes.result, async ({ params, body }) => ({
    job: await jobs.reports.report({ assignmentId: params.id, ...body }),
  }));
  http.guarded(jobRoutes.uploadUrls, async ({ params, body }, { apiUrl }) => ({
    urls: await getUploadUrls(jobs, params.id, { files: body.files, apiUrl }),
  }));
  http.guarded(jobRoutes.release, async ({ params }) => ({ job: await releaseAssignment(jobs, params.id) }));
}
