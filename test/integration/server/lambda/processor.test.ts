import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { serverEnvironment } from '../../../../src/environment/server.js';
import { parseEnvironment } from '../../../../src/environment/variables.js';
import { assemble } from '../../../../src/server/assemble.js';
import * as api from '../../../../src/server/lambda/api.js';
import { close, handler } from '../../../../src/server/lambda/processor.js';
import {
  authorize,
  type LambdaFixture,
  parseBody,
  startLambdaFixture,
  toEventV2,
  worker,
} from '../../../support/lambda.js';
import { startTcpProxy } from '../../../support/tcp-proxy.js';

let fixture: LambdaFixture;
beforeAll(async () => {
  fixture = await startLambdaFixture();
}, 60_000);
afterAll(async () => {
  await api.close();
  await close();
  await fixture.close();
});

describe('the event processor on Lambda', () => {
  const stopped = (taskArn: string) => ({
    version: '0',
    id: 'c8e3a3e6-0000-4000-8000-000000000000',
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    account: '123456789012',
    time: '2026-03-01T04:05:06Z',
    region: 'ap-southeast-2',
    resources: [taskArn],
    detail: {
      clusterArn: 'arn:aws:ecs:test:0:cluster/c',
      taskArn,
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
      stoppedReason: 'Essential container in task exited',
      containers: [{ exitCode: 137, lastStatus: 'STOPPED', name: 'worker' }],
    },
  });

  it('requeues the job of a stopped task once, although the event arrives twice', async () => {
    const [user, machine] = [await authorize(), await authorize(worker)];
    const inputPayload = { region: 'one', reef_type: 'slopes' };
    const created = { type: 'REGIONAL_ASSESSMENT', inputPayload };
    const { jobId } = parseBody(
      await api.handler(toEventV2('/api/jobs', { method: 'POST', headers: user, body: JSON.stringify(created) })),
    );
    const ecsTaskArn = 'arn:aws:ecs:test:0:task/c/1';
    const claim = { jobTypes: ['REGIONAL_ASSESSMENT'], ecsTaskArn, ecsClusterArn: 'arn:aws:ecs:test:0:cluster/c' };
    await api.handler(toEventV2('/api/jobs/claim', { method: 'POST', headers: machine, body: JSON.stringify(claim) }));
    const status = async () =>
      parseBody(await api.handler(toEventV2(`/api/jobs/${jobId}`, { headers: user }))).job.status;
    expect(await status()).toBe('IN_PROGRESS');
    expect(await handler(stopped(ecsTaskArn))).toEqual({ applied: true, jobs: [jobId], executions: [], stored: 0 });
    expect(await status()).toBe('PENDING');
    expect(await handler(stopped(ecsTaskArn))).toEqual({ applied: false, jobs: [], executions: [], stored: 0 });
    expect(await status()).toBe('PENDING');
  });

  it.each([{}, null, 'text', { 'detail-type': 'ECS Task State Change' }, { 'detail-type': 3 }])(
    'drops the event %p of an unknown kind',
    async (event) => {
      expect(await handler(event)).toEqual({ applied: false, jobs: [], executions: [], stored: 0 });
    },
  );

  it('throws while the database is unavailable, so that the event is delivered again', async () => {
    const { hostname, port } = new URL(fixture.database.url);
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
    const url = new URL(fixture.database.url);
    url.host = `${proxy.host}:${proxy.port}`;
    const assembled = await assemble({
      environment: parseEnvironment(serverEnvironment, { ...process.env, DATABASE_URL: url.href }),
      home: fixture.home,
      log: pino({ level: 'silent' }),
    });
    try {
      expect(await assembled.service.processEvent(stopped('arn:aws:ecs:test:0:task/c/2'))).toEqual({
        applied: false,
        jobs: [],
        executions: [],
        stored: 0,
      });
      await proxy.refuse();
      await expect(assembled.service.processEvent(stopped('arn:aws:ecs:test:0:task/c/2'))).rejects.toThrow();
    } finally {
      await assembled.close();
      await proxy.close();
    }
  });
});
