import { createHash, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../contract/errors.js';
import { processorRoutes } from '../contract/processor.js';
import { type EventTargets, processEvent } from '../events/process.js';
import type { Http } from './http.js';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** The event processor's routes. With a token, whoever sends events must know it; without, only this machine is heard. */
export function processorRoutesOn(http: Http, targets: EventTargets, token: string | undefined): void {
  http.open(processorRoutes.health, () => ({ status: 'ok', component: 'async-processor' }));
  http.open(processorRoutes.process, async ({ body }, { request }) => {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (token !== undefined && !timingSafeEqual(digest(given), digest(token))) {
      throw new ServiceError('unauthenticated', 'Send the processor token (Authorization: Bearer …)');
    }
    return processEvent(body, targets);
  });
}
