import { once } from 'node:events';
import type { Response } from 'express';
import type { RequestContext } from './request-context.js';

/**
 * Answers with `{ …head, [name]: […] }` and sends the list page by page, because a long list does not fit into memory.
 * Reads the first page before sending anything, because an earlier error must become an ordinary answer.
 */
export async function streamJson(
  { response }: RequestContext,
  head: object,
  name: string,
  pages: AsyncGenerator<readonly unknown[]>,
): Promise<void> {
  const first = await pages.next();
  response.type('application/json');
  response.write(`${JSON.stringify(head).slice(0, -1)},${JSON.stringify(name)}:[`);
  let separator = '';
  for (let page = first; !page.done && !response.destroyed; page = await pages.next()) {
    const items = page.value.map((item) => JSON.stringify(item)).join(',');
    if (!response.write(separator + items)) await waitForDrain(response);
    separator = ',';
  }
  response.end(']}');
}

/** Resolves when the response takes more bytes, or when the client has gone. */
async function waitForDrain(response: Response): Promise<void> {
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const events = [once(response, 'drain', options), once(response, 'close', options)];
  await Promise.race(events).catch(() => {});
  controller.abort();
  await Promise.allSettled(events);
}
