import type { Response } from 'express';

/** Below the idle time-out of proxies (60 s), because a proxy closes a quiet stream. */
const commentIntervalMs = 15_000;

/**
 * Sends events as server-sent events, for example `event: job\ndata: {"id":17}\n\n`. Awaits the first event before writing
 * anything, because an earlier error must become an ordinary answer.
 */
export async function streamEvents(response: Response, events: AsyncGenerator<object>): Promise<void> {
  const first = await events.next();
  response.writeHead(200, { 'Content-Type': 'text/event-stream', Connection: 'keep-alive', 'X-Accel-Buffering': 'no' });
  const comments = setInterval(() => response.write(': still here\n\n'), commentIntervalMs);
  try {
    for (let next = first; !next.done; next = await events.next()) {
      response.write(`event: job\ndata: ${JSON.stringify(next.value)}\n\n`);
      if (response.destroyed) break;
    }
  } finally {
    clearInterval(comments);
    await events.return(undefined);
    response.end();
  }
}
