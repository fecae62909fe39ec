import type { Response } from 'express';

/** Keeps proxies from closing a quiet stream. */
const commentEveryMs = 15_000;

/**
 * Sends events as server-sent events. The first is awaited before anything is written, so that an error before it
 * still becomes an ordinary answer.
 */
export async function streamEvents(response: Response, events: AsyncGenerator<object>): Promise<void> {
  const first = await events.next();
  response.writeHead(200, { 'Content-Type': 'text/event-stream', Connection: 'keep-alive', 'X-Accel-Buffering': 'no' });
  const comment = setInterval(() => response.write(': still here\n\n'), commentEveryMs);
  try {
    for (let next = first; !next.done; next = await events.next()) {
      response.write(`event: job\ndata: ${JSON.stringify(next.value)}\n\n`);
      if (response.destroyed) break;
    }
  } finally {
    clearInterval(comment);
    await events.return(undefined);
    response.end();
  }
}
