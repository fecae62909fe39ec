import { jobRoutes } from '../../contract/job-routes.js';
import { getDownloads } from '../../jobs/file-urls.js';
import { followJob } from '../../jobs/follow.js';
import type { Jobs } from '../../jobs/jobs.js';
import { invalidateResults } from '../../jobs/sql/invalidate-cache.js';
import { cancelForCaller, getJob, listJobRequests, listJobs } from '../../jobs/visible-jobs.js';
import { streamEvents } from '../http/event-stream.js';
import type { Http } from '../http/routes.js';

/** Converts a request to a submission: `inputPayload` in requests, `payload` in jobs/, `input_payload` in SQL and in a job's body. */
const toSubmission = <Body extends { inputPayload?: unknown }>({ inputPayload: payload, ...rest }: Body) => ({
  ...rest,
  payload,
});

export function addJobRoutes(http: Http, jobs: Jobs): void {
  http.guarded(jobRoutes.create, ({ body }, { caller }) => jobs.submissions.submit(toSubmission(body), caller));
  http.guarded(jobRoutes.batch, async ({ body }, { caller }) => ({
    results: await jobs.submissions.submitBatch(body.jobs.map(toSubmission), caller),
  }));
  http.guarded(jobRoutes.list, async ({ query }, { caller }) => {
    const { rows, total, nextCursor } = await listJobs(jobs, query, caller);
    return { jobs: rows, total, nextCursor };
  });
  http.guarded(jobRoutes.requests, async ({ query }, { caller }) => {
    const { rows, total, nextCursor } = await listJobRequests(jobs, query, caller);
    return { jobRequests: rows, total, nextCursor };
  });
  http.guarded(jobRoutes.types, () => ({ types: jobs.types.describe() }));
  http.guarded(jobRoutes.invalidate, async ({ body }) => {
    jobs.types.require(body.type, 'type');
    return { invalidated: await invalidateResults(jobs.database, body.type) };
  });
}

/** Binds the routes of a single job. Call last, because `/api/jobs/:id` also matches `/api/jobs/poll`. */
export function addOneJobRoutes(http: Http, jobs: Jobs): void {
  http.guarded(jobRoutes.download, ({ params, query: { expirySeconds } }, { caller, apiUrl }) =>
    getDownloads(jobs, params.id, caller, { expirySeconds, apiUrl }),
  );
  http.guarded(jobRoutes.events, ({ params }, { caller, signal, response }) =>
    streamEvents(response, followJob(jobs, params.id, caller, signal)),
  );
  http.guarded(jobRoutes.cancel, async ({ params }, { caller }) => ({
    job: await cancelForCaller(jobs, params.id, caller),
  }));
  http.guarded(jobRoutes.get, async ({ params }, { caller }) => ({ job: await getJob(jobs, params.id, caller) }));
}
