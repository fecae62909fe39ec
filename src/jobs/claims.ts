import { notFound, ServiceError } from '../contract/errors.js';
import type {
  AssignmentBody,
  Claim,
  Demand,
  JobBody,
  Progress,
  ReportOutcome,
  WorkerAssignment,
} from '../contract/jobs.js';
import { createBatcher } from '../database/batcher.js';
import type { Database } from '../database/database.js';
import { isRefusedInput } from '../database/errors.js';
import { pollIntervalMs, waitForNotification } from '../database/subscription.js';
import type { Storages } from '../storage/contract.js';
import { createDispatcher, inOrderFrom } from './claim-queue.js';
import type { Signals, Topic } from './job-notifications.js';
import { createOffers, offerSlack } from './poll-order.js';
import { assignJob } from './sql/assign.js';
import { type AssignmentTerms, type ClaimedJob, type ClaimSlot, claimJobs } from './sql/claim.js';
import { readDemand } from './sql/demand.js';
import { type HeartbeatAnswer, recordHeartbeat } from './sql/heartbeat.js';
import { pollJobs, readJob, readPendingTypes } from './sql/read.js';
import { type Report, type ReportAnswer, recordReports } from './sql/report.js';
import { loseStoppedTask, type MovedJob, releaseAssignments } from './sql/requeue.js';
import { invalid } from './submit.js';
import { sweep } from './sweeper.js';
import { defaultExpiryMinutes, type JobTypeRegistry } from './types/registry.js';
import { uploadUrls } from './upload-urls.js';

export interface ClaimRequest extends ClaimSlot {
  types: readonly string[];
  waitSeconds: number;
  apiUrl: string;
  signal: AbortSignal;
}

export interface PollRequest {
  /** undefined: every type. */
  types: readonly string[] | undefined;
  limit: number;
  waitSeconds: number;
  caller: string | undefined;
  signal: AbortSignal;
}

/** Remembers which type an assignment is of, to check its result without asking the database. */
const rememberedAssignments = 20_000;
/** A burst of changes is answered once. */
const demandEveryMs = 50;

/** The workers' side of jobs: poll, assign, claim, heartbeat, report, hand back; and what is known of their demand. */
export function createWork(deps: {
  database: Database;
  signals: Signals;
  storages: Storages;
  types: JobTypeRegistry;
  heartbeatTimeoutSeconds: number;
  now(): number;
  onError(error: unknown): void;
}) {
  const { database, signals, storages, types } = deps;
  const offers = createOffers(deps.now);
  let pollTurn = 0;
  const typeOf = new Map<number, string>();
  const remember = (assignmentId: number, type: string) => {
    typeOf.set(assignmentId, type);
    if (typeOf.size > rememberedAssignments) for (const oldest of typeOf.keys()) return void typeOf.delete(oldest);
  };

  const terms: AssignmentTerms = {
    scheme: storages.current.scheme,
    baseUri: storages.current.baseUri,
    expiryMinutes: (type) => types.get(type)?.expiryMinutes ?? defaultExpiryMinutes,
  };

  const published = (moved: readonly MovedJob[]): readonly MovedJob[] => {
    if (moved.length === 0) return moved;
    const free = moved.filter(({ status }) => status === 'PENDING');
    signals.publish({ pending: new Set(free.map(({ type }) => type)), jobs: moved.map(({ id }) => id) });
    return moved;
  };

  const dispatcher = createDispatcher({
    claim: async (wanted, slots) => {
      const claimed = await claimJobs(database, wanted, slots, terms);
      for (const { assignment, job } of claimed) remember(assignment.id, job.type);
      if (claimed.length > 0) signals.publish({ jobs: claimed.map(({ job }) => job.id) });
      return claimed;
    },
    handBack: async (claimed) => {
      await handBack(claimed.map(({ assignment }) => assignment.id)).catch(deps.onError);
    },
    pollIntervalMs: () => pollIntervalMs(signals),
    now: deps.now,
  });
  const stopListening = signals.onPending(dispatcher.wake);

  const handBack = async (assignmentIds: readonly number[]) =>
    published(await releaseAssignments(database, assignmentIds));

  const forWorker = (assignment: AssignmentBody, apiUrl: string): WorkerAssignment => {
    const storage = storages.of(assignment.storage_scheme);
    const prefix = storage.uploadUrlPrefix(assignment.storage_uri, new Date(assignment.expires_at), apiUrl);
    return prefix === undefined ? assignment : { ...assignment, upload_url_prefix: prefix };
  };

  const report = createBatcher<Report, ReportAnswer>({
    maxWeight: 400,
    concurrency: 2,
    isFaultOfCall: isRefusedInput,
    async serve(reports) {
      const answers = await recordReports(database, reports);
      const ended = answers.flatMap((answer) => (answer.outcome === 'recorded' ? [answer.job.id] : []));
      for (const { assignmentId } of reports) typeOf.delete(assignmentId);
      if (ended.length > 0) signals.publish({ jobs: ended });
      return answers;
    },
  });

  /** The problem of each report's payload by its type's schema, undefined where there is none. */
  const checkPayloads = async (reports: readonly Report[]): Promise<(ServiceError | undefined)[]> => {
    const unknown = reports.flatMap(({ assignmentId }) => (typeOf.has(assignmentId) ? [] : [assignmentId]));
    const found = new Map<number, string>();
    if (unknown.length > 0) {
      const rows = await database.rows<{ id: number; type: string }>(
        'assignments-type',
        'SELECT a.id, j.type FROM "JobAssignment" a JOIN "Job" j ON j.id = a.job_id WHERE a.id = ANY($1::int[])',
        [unknown],
      );
      for (const { id, type } of rows) found.set(id, type);
    }
    return reports.map(({ assignmentId, status, payload }) => {
      if (status !== 'SUCCEEDED') return undefined;
      const type = typeOf.get(assignmentId) ?? found.get(assignmentId);
      const checked = type === undefined ? undefined : types.get(type)?.checkResult(payload);
      return checked && !checked.ok ? invalid(checked.issues, 'resultPayload') : undefined;
    });
  };

  const conflict = (assignmentId: number) =>
    new ServiceError('conflict', `Assignment ${assignmentId} is not live: its job has ended or went to another worker`);

  /** Every type that waits. When these are more than the jobs asked for, they take turns in coming first. */
  const waitingTypes = async (limit: number): Promise<readonly string[]> => {
    const waiting = await readPendingTypes(database);
    if (waiting.length <= limit) return waiting;
    pollTurn = (pollTurn + 1) % waiting.length;
    return inOrderFrom(waiting, pollTurn);
  };

  return {
    /** Waiting jobs, the heads of the queues first. `caller` tells workers apart; undefined only looks, and takes none. */
    async poll({ types: wanted, limit, waitSeconds, caller, signal }: PollRequest): Promise<JobBody[]> {
      for (const type of wanted ?? []) types.require(type, 'jobType');
      const deadline = deps.now() + waitSeconds * 1000;
      const topics = (wanted ?? types.names).map((type): Topic => `pending:${type}`);
      for (;;) {
        const found = await pollJobs(database, wanted ?? (await waitingTypes(limit)), limit + offerSlack);
        const jobs = caller === undefined ? found.slice(0, limit) : offers.arrange(found, limit, caller);
        const leftMs = deadline - deps.now();
        if (jobs.length > 0 || leftMs <= 0 || signal.aborted) return jobs;
        await waitForNotification(signals, topics, leftMs, signal);
      }
    },
    async assign(jobId: number, taskArn: string, clusterArn: string, apiUrl: string) {
      const expiryByType = Object.fromEntries(types.names.map((type) => [type, terms.expiryMinutes(type)]));
      const { job, assignment } = await assignJob(
        database,
        { jobId, taskArn, clusterArn },
        { ...terms, expiryByType, defaultMinutes: defaultExpiryMinutes },
      );
      remember(assignment.id, job.type);
      signals.publish({ jobs: [jobId] });
      return { job, assignment: forWorker(assignment, apiUrl) };
    },
    /** Up to `count` jobs, at once or as soon as there is one; none when `waitSeconds` passed. */
    async claim({ waitSeconds, apiUrl, signal, ...wish }: ClaimRequest): Promise<Claim[]> {
      for (const type of wish.types) types.require(type, 'jobTypes');
      const claimed: ClaimedJob[] = await dispatcher.claim({ ...wish, waitMs: waitSeconds * 1000, signal });
      if (signal.aborted && claimed.length > 0) {
        await handBack(claimed.map(({ assignment }) => assignment.id));
        return [];
      }
      return claimed.map(({ job, assignment }) => ({ job, assignment: forWorker(assignment, apiUrl) }));
    },
    async heartbeat(assignmentId: number, progress: Progress | undefined): Promise<HeartbeatAnswer> {
      const answer = await recordHeartbeat(database, assignmentId, progress);
      if (progress) signals.publish({ jobs: [answer.jobId] });
      return answer;
    },
    /** Records one result and returns the job as it ended. */
    async report(given: Report): Promise<JobBody> {
      const [problem] = await checkPayloads([given]);
      if (problem) throw problem;
      const answer = await report(given);
      if (answer.outcome === 'unknown') throw notFound(`Assignment ${given.assignmentId}`);
      if (answer.outcome === 'refused') throw conflict(given.assignmentId);
      return answer.job;
    },
    /** Records several results, each answered on its own. */
    async reportAll(reports: readonly Report[]): Promise<ReportOutcome[]> {
      const problems = await checkPayloads(reports);
      return Promise.all(
        reports.map(async (given, n): Promise<ReportOutcome> => {
          const { assignmentId } = given;
          const problem = problems[n];
          if (problem) {
            const [issue] = problem.issues ?? [];
            return { assignmentId, status: 400, message: `${issue?.path}: ${issue?.message}` };
          }
          const { outcome } = await report(given);
          if (outcome === 'unknown')
            return { assignmentId, status: 404, message: `Assignment ${assignmentId} not found` };
          if (outcome === 'refused') return { assignmentId, status: 409, message: conflict(assignmentId).message };
          return { assignmentId, status: 200 };
        }),
      );
    },
    uploadUrls: (assignmentId: number, files: readonly string[], apiUrl: string) =>
      uploadUrls(database, storages, { assignmentId, files, apiUrl }),
    /** Hands a live assignment's job back to the queue. */
    async release(assignmentId: number): Promise<JobBody> {
      const [moved] = await handBack([assignmentId]);
      if (!moved) {
        const rows = await database.rows('assignments-there', 'SELECT 1 FROM "JobAssignment" WHERE id = $1', [
          assignmentId,
        ]);
        throw rows.length === 0 ? notFound(`Assignment ${assignmentId}`) : conflict(assignmentId);
      }
      const job = await readJob(database, moved.id);
      if (!job) throw notFound(`Job ${moved.id}`);
      return job;
    },
    /** The demand, at once or when it no longer is of `version`, or when `waitSeconds` passed. */
    async demand(waitSeconds: number, version: string | undefined, signal: AbortSignal): Promise<Demand> {
      const deadline = deps.now() + waitSeconds * 1000;
      for (;;) {
        const stopWaiting = new AbortController();
        const changed = waitForNotification(
          signals,
          ['demand'],
          waitSeconds * 1000,
          AbortSignal.any([signal, stopWaiting.signal]),
        );
        const demand = await readDemand(database);
        const leftMs = deadline - deps.now();
        if (demand.version !== version || leftMs <= 0 || signal.aborted) {
          stopWaiting.abort();
          return demand;
        }
        await changed;
        await new Promise((resolve) => setTimeout(resolve, Math.min(demandEveryMs, Math.max(0, leftMs))));
      }
    },
    /** A task stopped: what it had in hand goes back to the queue, or ends. */
    taskStopped: async (taskArn: string, reason: string) => published(await loseStoppedTask(database, taskArn, reason)),
    async sweep(): Promise<void> {
      published((await sweep(database, deps.heartbeatTimeoutSeconds)) ?? []);
    },
    waitingClaims: () => dispatcher.waiting(),
    /** Answers whoever waits, so that the process can end. */
    close() {
      stopListening();
      dispatcher.close();
    },
  };
}
export type Work = ReturnType<typeof createWork>;
