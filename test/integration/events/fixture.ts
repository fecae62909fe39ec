import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { createFakeCommandRunner, type FakeCommandRunner } from '../../support/command-runner.js';
import { startFakeSocketGateway } from '../../support/fakes/socket-gateway.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

interface Line {
  id: string;
  timestamp: number;
  message: string;
}

/** A service with a fake provider and a fake gateway, and the events that both would send. */
export interface EventFixture {
  system: TestService;
  operator: TestCaller;
  runner: FakeCommandRunner;
  gateway: Awaited<ReturnType<typeof startFakeSocketGateway>>;
}

/** Starts the service for the tests of a file. The fields are set once `beforeAll` has run. */
export function useEventFixture(): EventFixture {
  const fixture = {} as EventFixture;
  beforeAll(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
    const runner = createFakeCommandRunner();
    const gateway = await startFakeSocketGateway();
    const system = await startTestService({ runner, env: { WEBSOCKET_API_ENDPOINT: gateway.endpoint } });
    await system.service.seed();
    Object.assign(fixture, { system, runner, gateway, operator: await system.as('OPERATOR') });
  });
  afterAll(async () => {
    await fixture.system.close();
    await fixture.gateway.close();
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
  });
  return fixture;
}

/** Posts an event to the processor. */
export async function sendEvent({ system }: EventFixture, event: unknown) {
  const response = await fetch(`${system.processorUrl}/process`, { method: 'POST', body: JSON.stringify(event) });
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers freely
  const body: any = await response.json();
  return { status: response.status, body };
}

/** Posts the event of a task whose status changed. */
export const sendTaskChange = (fixture: EventFixture, taskArn: string, lastStatus: string, detail: object = {}) =>
  sendEvent(fixture, {
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    detail: { taskArn, lastStatus, ...detail },
  });

/** Returns the detail of a task whose container `main` ended with an exit code. */
export const toExitDetail = (exitCode: number) => ({
  stoppedReason: 'Essential container in task exited',
  stopCode: 'EssentialContainerExited',
  containers: [
    { name: 'git', exitCode: 0 },
    { name: 'main', exitCode },
  ],
});

/** Returns an event of CloudWatch Logs with any content. */
export const toLogEvent = (content: unknown) => ({
  awslogs: { data: gzipSync(JSON.stringify(content)).toString('base64') },
});

export const toLinesEvent = (taskArn: string, logEvents: Line[]) =>
  toLogEvent({
    messageType: 'DATA_MESSAGE',
    owner: '123456789012',
    logGroup: 'executions',
    logStream: `execution/main/${taskArn.split('/').pop()}`,
    subscriptionFilters: ['Lines'],
    logEvents,
  });

let lastLine = 0;
export function createLine(message: string, timestamp = 1_760_000_000_000): Line {
  lastLine += 1;
  return { id: `3719${String(lastLine).padStart(52, '0')}`, timestamp, message };
}

/** Starts an execution through the API. */
export async function startExecution({ operator, system }: EventFixture, body: object = {}) {
  const answer = await operator.post('/api/v1/run', { command: 'sleep 1', ...body });
  expect(answer.status).toBe(202);
  const sql = 'SELECT task_arn FROM "Execution" WHERE execution_id = $1';
  const { rows } = await system.database.pool.query(sql, [answer.body.execution_id]);
  return { id: answer.body.execution_id, taskArn: rows[0].task_arn, url: answer.body.websocket_url };
}

export const readStatus = async ({ operator }: EventFixture, id: string) =>
  (await operator.get(`/api/v1/executions/${id}/status`)).body;
export const readLines = async ({ operator }: EventFixture, id: string): Promise<string[]> =>
  (await operator.get(`/api/v1/executions/${id}/logs`)).body.events.map(({ message }: Line) => message);
