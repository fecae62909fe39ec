import { randomUUID } from 'node:crypto';
import type { AssignmentBody, Claim, CreatedJob, JobBody, JobStatus } from '../../src/contract/jobs.js';
import { sweep } from '../../src/jobs/sweeper.js';
import type { TestCaller, TestService } from './service.js';

/** A type with three attempts. */
export const regional = 'REGIONAL_ASSESSMENT';
export const payload = (region: string | number) => ({ region: String(region), reef_type: 'slopes' });
export const regionalResult = { cog_path: 'out.tif' };

export const newTask = (name: string = randomUUID()) => ({
  ecsTaskArn: `arn:aws:ecs:test:0:task/c/${name}`,
  ecsClusterArn: 'arn:aws:ecs:test:0:cluster/c',
});

export async function submit(
  user: TestCaller,
  inputPayload: unknown,
  options: { type?: string; priority?: number } = {},
): Promise<CreatedJob> {
  const answer = await user.post('/api/jobs', { type: regional, inputPayload, ...options });
  if (answer.status !== 200)
    throw new Error(`The submission was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export async function claim(
  worker: TestCaller,
  request: { jobTypes?: string[]; count?: number; wait?: number; ecsTaskArn?: string } = {},
): Promise<Claim[]> {
  const answer = await worker.post('/api/jobs/claim', { jobTypes: [regional], ...newTask(), ...request });
  if (answer.status !== 200)
    throw new Error(`The claim was answered with ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body.claims;
}

/** Submits a job and lets the worker claim the job. */
export async function submitAndClaim(
  user: TestCaller,
  worker: TestCaller,
  inputPayload: unknown,
  type = regional,
): Promise<Claim> {
  const { jobId } = await submit(user, inputPayload, { type });
  const [claimed] = await claim(worker, { jobTypes: [type] });
  if (claimed?.job.id !== jobId) throw new Error(`Expected a claim of job ${jobId}, got ${claimed?.job.id}`);
  return claimed;
}

export const report = (worker: TestCaller, assignmentId: number, status = 'SUCCEEDED', resultPayload?: unknown) =>
  worker.post(`/api/jobs/assignments/${assignmentId}/result`, {
    status,
    resultPayload: status === 'SUCCEEDED' && resultPayload === undefined ? regionalResult : resultPayload,
  });

export async function readJob(system: TestService, id: number): Promise<JobBody> {
  const [job] = await sql<JobBody>(system, 'SELECT * FROM "Job" WHERE id = $1', [id]);
  if (!job) throw new Error(`Job ${id} not found`);
  return job;
}

export const readJobStatus = async (system: TestService, id: number): Promise<JobStatus> =>
  (await readJob(system, id)).status;

/** Reads the attempts of a job, oldest first, each with the recorded reason. */
export const readAttempts = (system: TestService, jobId: number) =>
  sql<AssignmentBody & { reason: string | null }>(
    system,
    `SELECT a.*, r.metadata ->> 'reason' AS reason
     FROM "JobAssignment" a LEFT JOIN "JobResult" r ON r.assignment_id = a.id WHERE a.job_id = $1 ORDER BY a.id`,
    [jobId],
  );

/** Runs SQL in the service's database. */
export async function sql<Row extends object>(system: TestService, text: string, values: unknown[] = []) {
  return (await system.database.pool.query<Row>(text, values)).rows;
}

/** Sets the expiry of the assignment to the past. */
export const expire = (system: TestService, assignmentId: number) =>
  sql(system, `UPDATE "JobAssignment" SET expires_at = now() - interval '1 s' WHERE id = $1`, [assignmentId]);

/** Sweeps once, with a heartbeat timeout of 60 s. */
export const sweepNow = (system: TestService) => sweep(system.database, 60);

export async function count(system: TestService, from: string, values: unknown[] = []): Promise<number> {
  const [row] = await sql<{ n: number }>(system, `SELECT count(*)::int AS n FROM ${from}`, values);
  return row?.n ?? 0;
}

/** Reads one value from the service's metrics; 0 when missing. */
export async function readMetric(system: TestService, name: string): Promise<number> {
  const text = await (await fetch(`${system.url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

export const countWaitingClaims = (system: TestService) => readMetric(system, 'reefguide_claims_waiting');
