// Measures the memory of waiting long polls.
import { residentMb } from './system.js';

const waitSeconds = 15;

/** Returns the megabytes that `count` waiting claims add to the API, and how many were answered correctly. */
export async function heldPolls({ worker, pid }, count = 2000) {
  const before = residentMb(pid);
  const polls = Array.from({ length: count }, (_, n) =>
    worker.call('POST', '/api/jobs/claim', {
      jobTypes: ['ADRIA_MODEL_RUN'],
      ecsTaskArn: `t${n}`,
      ecsClusterArn: 'c',
      wait: waitSeconds,
    }),
  );
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, residentMb(pid));
  }, 250);
  const answers = await Promise.all(polls);
  clearInterval(timer);
  const right = answers.filter(({ status, body }) => status === 200 && body.claims.length === 0).length;
  return { addedMb: peak - before, right };
}
