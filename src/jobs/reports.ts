import { notFound, type ServiceError } from '../contract/errors.js';
import type { JobBody, Progress, ReportOutcome } from '../contract/jobs.js';
import { createBatcher } from '../database/batcher.js';
import { isRefusedInput } from '../database/errors.js';
import type { JobDependencies } from './dependencies.js';
import { notLive } from './requeue.js';
import { readAssignmentTypes } from './sql/assignments.js';
import { recordHeartbeat } from './sql/heartbeat.js';
import { type Report, type ReportAnswer, recordReports } from './sql/report.js';
import { invalidPayload } from './types/registry.js';

const maxReportsPerStatement = 400;

/** Records the results from workers. Reports that arrive together share a statement and a commit. */
export class JobReports {
  private readonly record: (report: Report) => Promise<ReportAnswer>;

  constructor(private readonly deps: JobDependencies) {
    this.record = createBatcher({
      maxWeight: maxReportsPerStatement,
      concurrency: 2,
      isFaultOfCall: isRefusedInput,
      serve: (reports: Report[]) => this.recordAll(reports),
    });
  }

  async report(report: Report): Promise<JobBody> {
    const [error] = await this.checkResults([report]);
    if (error) throw error;
    const answer = await this.record(report);
    if (answer.outcome === 'unknown') throw notFound(`Assignment ${report.assignmentId}`);
    if (answer.outcome === 'refused') throw notLive(report.assignmentId);
    return answer.job;
  }

  /** Records several results and answers each by an HTTP status. */
  async reportAll(reports: readonly Report[]): Promise<ReportOutcome[]> {
    const errors = await this.checkResults(reports);
    return Promise.all(
      reports.map(async (report, n): Promise<ReportOutcome> => {
        const { assignmentId } = report;
        const error = errors[n];
        if (error) {
          const [issue] = error.issues ?? [];
          return { assignmentId, status: 400, message: `${issue?.path}: ${issue?.message}` };
        }
        const { outcome } = await this.record(report);
        if (outcome === 'unknown')
          return { assignmentId, status: 404, message: notFound(`Assignment ${assignmentId}`).message };
        if (outcome === 'refused') return { assignmentId, status: 409, message: notLive(assignmentId).message };
        return { assignmentId, status: 200 };
      }),
    );
  }

  private async recordAll(reports: readonly Report[]): Promise<ReportAnswer[]> {
    const { database, notifications, assignmentTypes } = this.deps;
    const answers = await recordReports(database, reports);
    const ended = answers.flatMap((answer) => (answer.outcome === 'recorded' ? [answer.job.id] : []));
    for (const { assignmentId } of reports) assignmentTypes.delete(assignmentId);
    if (ended.length > 0) notifications.publish({ jobs: ended });
    return answers;
  }

  /** Returns an error for each result payload that breaks the schema of the job type, else undefined. */
  private async checkResults(reports: readonly Report[]): Promise<(ServiceError | undefined)[]> {
    const { database, types, assignmentTypes } = this.deps;
    const uncached = reports.map(({ assignmentId }) => assignmentId).filter((id) => !assignmentTypes.has(id));
    const read = uncached.length > 0 ? await readAssignmentTypes(database, uncached) : new Map<number, string>();
    return reports.map(({ assignmentId, status, resultPayload }) => {
      if (status !== 'SUCCEEDED') return undefined;
      const type = assignmentTypes.get(assignmentId) ?? read.get(assignmentId);
      const checked = type === undefined ? undefined : types.get(type)?.checkResult(resultPayload);
      return checked && !checked.ok ? invalidPayload(checked.issues, 'resultPayload') : undefined;
    });
  }
}

/** Records a heartbeat, and notifies the job's followers of progress. */
export async function reportHeartbeat(
  { database, notifications }: JobDependencies,
  assignmentId: number,
  progress: Progress | undefined,
) {
  const answer = await recordHeartbeat(database, assignmentId, progress);
  if (progress) notifications.publish({ jobs: [answer.jobId] });
  return answer;
}
