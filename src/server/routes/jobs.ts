import { jobRoutes } from '../../contract/job-routes.js';
import type { Submissions } from '../../jobs/submit.js';
import { streamEvents } from '../http/event-stream.js';
import type { Http } from '../http/routes.js';

/** The user's side of jobs. */
export function jobRoutesOn(http: Http, jobs: Submissions): void {
  http.guarded(jobRoutes.create, ({ body }, { caller }) => jobs.create(body, caller));
  http.guarded(jobRoutes.batch, async ({ body }, { caller }) => ({
    results: await jobs.createBatch(body.jobs, caller),
  }));
  http.guarded(jobRoutes.list, async ({ query }, { caller }) => {
    const { rows, total, nextCursor } = await jobs.list(query, caller);
    return { jobs: rows, total, nextCursor };
  });
  http.guarded(jobRoutes.requests, async ({ query }, { caller }) => {
    const { rows, total, nextCursor } = await jobs.requests(query, caller);
    return { jobRequests: rows, total, nextCursor };
  });
  http.guarded(jobRoutes.types, () => ({ types: jobs.describeTypes() }));
  http.guarded(jobRoutes.invalidate, async ({ body }) => ({ invalidated: await jobs.invalidate(body.type) }));
}

/** Routes of one job: registered last, because `/api/jobs/:id` would also match `/api/jobs/poll`. */
export function oneJobRoutesOn(http: Http, jobs: Submissions): void {
  http.guarded(jobRoutes.download, ({ params, query }, { caller, apiUrl }) =>
    jobs.download(params.id, caller, query.expirySeconds, apiUrl),
  );
  http.guarded(jobRoutes.events, ({ params }, { caller, signal, response }) =>
    streamEvents(response, jobs.events(params.id, caller, signal)),
  );
  http.guarded(jobRoutes.cancel, async ({ params }, { caller }) => ({
    job: await jobs.cancel(params.id, caller),
  }));
  http.guarded(jobRoutes.get, async ({ params }, { caller }) => ({
    job: await jobs.get(params.id, caller),
  }));
}
