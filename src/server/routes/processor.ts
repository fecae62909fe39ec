import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { ServiceError } from '../../contract/errors.js';
import { type EventOutcome, processorRoutes } from '../../contract/processor.js';
import { isDatabaseUnavailable } from '../../database/errors.js';
import type { Http } from '../http/routes.js';

export type ProcessEvent = (raw: unknown) => Promise<EventOutcome>;

/** Binds the routes of the event processor. `token` undefined: no authentication, for a port on loopback alone. */
export function addProcessorRoutes(http: Http, processEvent: ProcessEvent, token: string | undefined): void {
  http.open(processorRoutes.health, () => ({ status: 'ok', component: 'async-processor' }));
  http.open(processorRoutes.process, async ({ body }, { request, response, log }) => {
    if (token !== undefined) checkToken(request, token);
    try {
      return await processEvent(body);
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      // Senders repeat an event that is answered 500.
      log.warn({ err: error }, 'the sender has to repeat the event: the database does not answer');
      response.status(500).json({ status: 500, message: 'The database does not answer: send the event again' });
      return undefined;
    }
  });
}

function checkToken({ headers }: Request, expected: string): void {
  const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  // Digests have equal lengths, which timingSafeEqual needs.
  if (timingSafeEqual(digest(token), digest(expected))) return;
  throw new ServiceError('unauthenticated', 'Send the processor token (Authorization: Bearer …)');
}

const digest = (text: string) => createHash('sha256').update(text).digest();
