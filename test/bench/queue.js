// Measures the queue's throughput and latency over HTTP.
import { percentile, race } from './http.js';

let nextId = Date.now();
const payload = () => {
  nextId += 1;
  return { id: nextId };
};
const task = (n) => ({
  ecsTaskArn: `arn:aws:ecs:bench:0:task/reefguide/${n}`,
  ecsClusterArn: 'arn:aws:ecs:bench:0:cluster/reefguide',
});

/** Submits `count` TEST jobs. */
export async function fill(admin, count) {
  for (let left = count; left > 0; left -= 1000) {
    const jobs = Array.from({ length: Math.min(left, 1000) }, () => ({ type: 'TEST', inputPayload: payload() }));
    await admin.ok('POST', '/api/jobs/batch', { jobs });
  }
}

export async function create({ admin }, jobs = 4000) {
  let left = jobs;
  const seconds = await race(10, async () => {
    if (left-- <= 0) return false;
    await admin.ok('POST', '/api/jobs', { type: 'TEST', inputPayload: payload() });
  });
  return jobs / seconds;
}

export async function claimOne({ admin, worker }, jobs = 5000) {
  await fill(admin, jobs);
  let done = 0;
  const seconds = await race(10, async (n) => {
    const { claims } = await worker.ok('POST', '/api/jobs/claim', { jobTypes: ['TEST'], ...task(n) });
    const [claim] = claims;
    if (!claim) return false;
    await worker.ok('POST', `/api/jobs/assignments/${claim.assignment.id}/result`, {
      status: 'SUCCEEDED',
      resultPayload: {},
    });
    done += 1;
  });
  if (done < jobs) throw new Error(`${done} of ${jobs} jobs were claimed`);
  return done / seconds;
}

/** Works by the legacy protocol: poll, assign the first job, report. Returns the rate and the number of jobs assigned twice. */
export async function threeCalls({ admin, worker }, jobs = 2000) {
  await fill(admin, jobs);
  const assigned = new Map();
  const seconds = await race(10, async (n) => {
    const { jobs: waiting } = await worker.ok('GET', '/api/jobs/poll?jobType=TEST');
    const [job] = waiting;
    if (!job) return false;
    const answer = await worker.call('POST', '/api/jobs/assign', { jobId: job.id, ...task(n) });
    if (answer.status === 400) return;
    assigned.set(job.id, (assigned.get(job.id) ?? 0) + 1);
    await worker.ok('POST', `/api/jobs/assignments/${answer.body.assignment.id}/result`, {
      status: 'SUCCEEDED',
      resultPayload: {},
    });
  });
  const twice = [...assigned.values()].filter((count) => count > 1).length;
  return { rate: assigned.size / seconds, twice, jobs: assigned.size };
}

export async function claimMany({ admin, worker }, jobs = 40_000) {
  await fill(admin, jobs);
  let done = 0;
  const seconds = await race(4, async (n) => {
    const { claims } = await worker.ok('POST', '/api/jobs/claim', { jobTypes: ['TEST'], count: 100, ...task(n) });
    if (claims.length === 0) return false;
    const results = claims.map(({ assignment }) => ({
      assignmentId: assignment.id,
      status: 'SUCCEEDED',
      resultPayload: {},
    }));
    const { results: outcomes } = await worker.ok('POST', '/api/jobs/results', { results });
    done += outcomes.filter(({ status }) => status === 200).length;
  });
  if (done < jobs) throw new Error(`${done} of ${jobs} jobs were reported`);
  return done / seconds;
}

/** Returns the milliseconds from POST /api/jobs to the answered claim of a waiting worker, on an idle system. */
export async function latency({ admin, worker }, samples = 300) {
  const measured = [];
  for (let n = 0; n < samples; n += 1) {
    const claim = worker
      .ok('POST', '/api/jobs/claim', { jobTypes: ['TEST'], wait: 30, ...task(0) })
      .then((answer) => ({ answer, at: performance.now() }));
    // The claim must wait before the job is submitted.
    await new Promise((resolve) => setTimeout(resolve, 15));
    const began = performance.now();
    await admin.ok('POST', '/api/jobs', { type: 'TEST', inputPayload: payload() });
    const { answer, at } = await claim;
    measured.push(at - began);
    await worker.ok('POST', `/api/jobs/assignments/${answer.claims[0].assignment.id}/result`, { status: 'SUCCEEDED' });
  }
  return { median: percentile(measured, 0.5), p99: percentile(measured, 0.99) };
}
