import { createHash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../../contract/errors.js';
import { type EventOutcome, processorRoutes } from '../../contract/processor.js';
import { isDatabaseUnavailable } from '../../database/errors.js';
import type { Http } from '../http/routes.js';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** The event processor's routes. With a token, whoever sends events must know it; without, only this machine is heard. */
export function processorRoutesOn(
  http: Http,
  processEvent: (raw: unknown) => Promise<EventOutcome>,
  token: string | undefined,
): void {
  http.open(processorRoutes.health, () => ({ status: 'ok', component: 'async-processor' }));
  http.open(processorRoutes.process, async ({ body }, { request, response, log }) => {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (token !== undefined && !timingSafeEqual(digest(given), digest(token))) {
      throw new ServiceError('unauthenticated', 'Send the processor token (Authorization: Bearer …)');
    }
    try {
      return await processEvent(body);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      // Whoever sends events sends one again that was answered 500.
      log.warn({ err: error }, 'an event is to be sent again');
      response.status(500).json({ status: 500, message: 'The database does not answer: send the event again' });
      return undefined;
    }
  });
}
