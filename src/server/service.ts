import type { Express } from 'express';
import type { EventOutcome } from '../contract/processor.js';
import { processEvent } from '../events/process.js';
import { requeueTaskJobs } from '../jobs/requeue.js';
import { sweepJobs } from '../jobs/sweeper.js';
import { startRepeating } from '../platform/repeat.js';
import { createApi, createProcessor } from './api.js';
import type { ServiceDependencies } from './dependencies.js';
import {
  closeExecutions,
  createExecutionEventHandlers,
  prepareExecutions,
  runHourlyMaintenance,
} from './executions.js';
import type { Upgrade } from './http/listen.js';
import type { Http } from './http/routes.js';
import { createServices, type Services } from './services.js';

export interface Service {
  api: Express;
  processor: Express;
  http: Http;
  /** Serves the WebSocket of executions' logs. */
  upgrade: Upgrade;
  /** Writes the first records of a new deployment. */
  seed(): Promise<void>;
  /** Applies one raw event, as the route `POST /process` does. */
  processEvent(raw: unknown): Promise<EventOutcome>;
  /** Answers waiting requests, because requests in flight must end before a stop. */
  drain(): void;
  close(): Promise<void>;
}

/** Builds the API and the event processor and starts the background work. Opens no port. */
export function createService(deps: ServiceDependencies): Service {
  const services = createServices(deps);
  const { executions, jobs, notifications } = services;
  const handlers = {
    ...createExecutionEventHandlers(executions),
    requeueJobs: (taskArn: string, reason: string) => requeueTaskJobs(jobs, taskArn, reason),
  };
  const applyEvent = (raw: unknown) => processEvent(raw, handlers);
  const http = createApi(services, deps);
  const processor = createProcessor(services, deps, applyEvent);
  const background = startBackgroundWork(services, deps);
  return {
    api: http.finish(),
    processor: processor.finish(),
    http,
    upgrade: executions.logSocket.upgrade,
    seed: () => prepareExecutions(executions),
    processEvent: applyEvent,
    drain() {
      executions.logSocket.close();
      http.close();
      processor.close();
      jobs.claims.close();
    },
    async close() {
      await background.maintenance.stop();
      await closeExecutions(executions);
      await background.sweeper.stop();
      await notifications.close();
    },
  };
}

const hourMs = 3_600_000;

function startBackgroundWork({ executions, jobs, onError }: Services, { environment }: ServiceDependencies) {
  return {
    maintenance: startRepeating({ run: () => runHourlyMaintenance(executions), intervalMs: hourMs, onError }),
    sweeper: startRepeating({
      run: () => sweepJobs(jobs, environment.HEARTBEAT_TIMEOUT_SECONDS),
      intervalMs: environment.SWEEP_INTERVAL_SECONDS * 1000,
      onError,
    }),
  };
}
