import { randomUUID } from 'node:crypto';
import type { AssignmentBody, Claim, CreatedJob, JobBody, JobStatus } from '../../src/contract/jobs.js';
import { sweep } from '../../src/jobs/sweeper.js';
import type { Caller, TestService } from './service.js';

/** A type with three attempts, and one of its payloads. */
export const regional = 'REGIONAL_ASSESSMENT';
export const payload = (region: string | number) => ({ region: String(region), reef_type: 'slopes' });
export const regionalResult = { cog_path: 'out.tif' };

export const newTask = (name: string = randomUUID()) => ({
  ecsTaskArn: `arn:aws:ecs:test:0:task/c/${name}`,
  ecsClusterArn: 'arn:aws:ecs:test:0:cluster/c',
});

export async function submit(
  user: Caller,
  inputPayload: unknown,
  options: { type?: string; priority?: number } = {},
): Promise<CreatedJob> {
  const answer = await user.post('/api/jobs', { type: regional, inputPayload, ...options });
  if (answer.status !== 200) throw new Error(`submission answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export async function claim(
  worker: Caller,
  wish: { jobTypes?: string[]; count?: number; wait?: number; ecsTaskArn?: string } = {},
): Promise<Claim[]> {
  const answer = await worker.post('/api/jobs/claim', { jobTypes: [regional], ...newTask(), ...wish });
  if (answer.status !== 200) throw new Error(`claim answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body.claims;
}

/** A job that a worker has in hand. */
export async function claimed(user: Caller, worker: Caller, inputPayload: unknown, type = regional): Promise<Claim> {
  const { jobId } = await submit(user, inputPayload, { type });
  const [one] = await claim(worker, { jobTypes: [type] });
  if (one?.job.id !== jobId) throw new Error(`claimed job ${one?.job.id} instead of ${jobId}`);
  return one;
}

export const report = (worker: Caller, assignmentId: number, status = 'SUCCEEDED', resultPayload?: unknown) =>
  worker.post(`/api/jobs/assignments/${assignmentId}/result`, {
    status,
    resultPayload: status === 'SUCCEEDED' && resultPayload === undefined ? regionalResult : resultPayload,
  });

export async function readJob(system: TestService, id: number): Promise<JobBody> {
  const [job] = await sql<JobBody>(system, 'SELECT * FROM "Job" WHERE id = $1', [id]);
  if (!job) throw new Error(`there is no job ${id}`);
  return job;
}

export const statusOf = async (system: TestService, id: number): Promise<JobStatus> =>
  (await readJob(system, id)).status;

/** The job's attempts, oldest first, with the reason that was noted for each. */
export const attemptsOf = (system: TestService, jobId: number) =>
  sql<AssignmentBody & { reason: string | null }>(
    system,
    `SELECT a.*, r.metadata ->> 'reason' AS reason
     FROM "JobAssignment" a LEFT JOIN "JobResult" r ON r.assignment_id = a.id WHERE a.job_id = $1 ORDER BY a.id`,
    [jobId],
  );

/** Runs SQL in the service's database, beside the service. */
export async function sql<Row extends object>(system: TestService, text: string, values: unknown[] = []) {
  return (await system.database.pool.query<Row>(text, values)).rows;
}

/** The time allowed for the assignment is over. */
export const expire = (system: TestService, assignmentId: number) =>
  sql(system, `UPDATE "JobAssignment" SET expires_at = now() - interval '1 s' WHERE id = $1`, [assignmentId]);

/** One turn of the sweeper, now. */
export const sweepNow = (system: TestService) => sweep(system.database, 60);

export async function count(system: TestService, from: string, values: unknown[] = []): Promise<number> {
  const [row] = await sql<{ n: number }>(system, `SELECT count(*)::int AS n FROM ${from}`, values);
  return row?.n ?? 0;
}

/** A figure of the service's metrics; 0 when it is not there. */
export async function metric(system: TestService, name: string): Promise<number> {
  const text = await (await fetch(`${system.url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

export const waitingClaims = (system: TestService) => metric(system, 'reefguide_claims_waiting');
