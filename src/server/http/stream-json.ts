import { once } from 'node:events';
import type { Response } from 'express';
import type { Context } from './routes.js';

/**
 * Answers with `{ …head, [name]: […] }`, the list a page at a time, so that a long one never sits in memory whole. The
 * first page is read before anything is sent: what fails by then is an error like any other.
 */
export async function streamJson(
  { response }: Context,
  head: object,
  name: string,
  pages: AsyncGenerator<readonly unknown[]>,
): Promise<void> {
  const first = await pages.next();
  response.type('application/json');
  response.write(`${JSON.stringify(head).slice(0, -1)},${JSON.stringify(name)}:[`);
  let separator = '';
  for (let page = first; !page.done && !response.destroyed; page = await pages.next()) {
    const text = page.value.map((item) => JSON.stringify(item)).join(',');
    if (!response.write(separator + text)) await drained(response);
    separator = ',';
  }
  response.end(']}');
}

/** Resolves when more may be written, or nobody reads any more. */
async function drained(response: Response): Promise<void> {
  const waiting = new AbortController();
  const options = { signal: waiting.signal };
  const events = [once(response, 'drain', options), once(response, 'close', options)];
  await Promise.race(events).catch(() => {});
  waiting.abort();
  await Promise.allSettled(events);
}
