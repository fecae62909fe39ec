import { isAdmin, mayDo, type Principal } from '../../accounts/permissions.js';
import { jobRoutes } from '../../contract/job-routes.js';
import type { Submissions, Viewer } from '../../jobs/submit.js';
import { streamEvents } from '../http/event-stream.js';
import type { Http } from '../http/routes.js';

const viewer = (principal: Principal): Viewer => ({
  userId: principal.userId,
  seesAll: mayDo(principal.roles, 'jobs:read-all'),
  isAdmin: isAdmin(principal),
});

/** The user's side of jobs. */
export function jobRoutesOn(http: Http, jobs: Submissions): void {
  http.guarded(jobRoutes.create, ({ body }, { principal }) => jobs.create(body, principal.userId));
  http.guarded(jobRoutes.batch, async ({ body }, { principal }) => ({
    results: await jobs.createBatch(body.jobs, principal.userId),
  }));
  http.guarded(jobRoutes.list, async ({ query }, { principal }) => {
    const { rows, total, nextCursor } = await jobs.list(query, viewer(principal));
    return { jobs: rows, total, nextCursor };
  });
  http.guarded(jobRoutes.requests, async ({ query }, { principal }) => {
    const { rows, total, nextCursor } = await jobs.requests(query, viewer(principal));
    return { jobRequests: rows, total, nextCursor };
  });
  http.guarded(jobRoutes.types, () => ({ types: jobs.describeTypes() }));
  http.guarded(jobRoutes.invalidate, async ({ body }) => ({ invalidated: await jobs.invalidate(body.type) }));
}

/** Routes of one job: registered last, because `/api/jobs/:id` would also match `/api/jobs/poll`. */
export function oneJobRoutesOn(http: Http, jobs: Submissions): void {
  http.guarded(jobRoutes.download, ({ params, query }, { principal, apiUrl }) =>
    jobs.download(params.id, viewer(principal), query.expirySeconds, apiUrl),
  );
  http.guarded(jobRoutes.events, ({ params }, { principal, signal, response }) =>
    streamEvents(response, jobs.events(params.id, viewer(principal), signal)),
  );
  http.guarded(jobRoutes.cancel, async ({ params }, { principal }) => ({
    job: await jobs.cancel(params.id, viewer(principal)),
  }));
  http.guarded(jobRoutes.get, async ({ params }, { principal }) => ({
    job: await jobs.get(params.id, viewer(principal)),
  }));
}
