import { once } from 'node:events';
import type { Context } from './http.js';

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
    if (!response.write(separator + text)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    separator = ',';
  }
  response.end(']}');
}
