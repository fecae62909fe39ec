import { orUnavailable } from '../../contract/errors.js';
import { type HealthReport, healthRoutes, type Trace } from '../../contract/health.js';
import type { Http } from '../http/routes.js';

export function addHealthRoutes(
  http: Http,
  deps: { reconcile(): Promise<HealthReport>; trace(requestId: string): Promise<Trace> },
): void {
  http.guarded(healthRoutes.reconcile, async () => {
    const report = await orUnavailable(deps.reconcile);
    return { status: report.issues.length === 0 ? 'ok' : 'issues', report };
  });
  http.guarded(healthRoutes.trace, ({ params }) => deps.trace(params.requestId));
}
