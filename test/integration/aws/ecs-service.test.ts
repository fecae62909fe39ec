// Tests the ECS service through the routes of administrators.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { EcsService } from '../../../src/aws/ecs-service.js';
import { type FakeAws, type FakeService, startFakeAws } from '../../support/fakes/aws.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

const originalEnv = { ...process.env };
let aws: FakeAws;
let system: TestService;
let admin: TestCaller;
let service: FakeService;
beforeAll(async () => {
  aws = await startFakeAws();
  Object.assign(process.env, aws.env);
  system = await startTestService({ service: new EcsService(createAws(), { cluster: 'reef', service: 'api' }) });
  admin = await system.as('ADMIN');
});
beforeEach(() => {
  aws.faults.refuse = undefined;
  aws.calls.length = 0;
  service = aws.addService('reef', 'api', 2);
});
afterAll(async () => {
  await system.close();
  await aws.close();
  process.env = { ...originalEnv };
});

const routes = [
  ['GET', 'status', undefined],
  ['POST', 'scale', { desiredCount: 3 }],
  ['POST', 'redeploy', undefined],
] as const;
const call = (caller: Pick<TestCaller, 'get' | 'post'>, [method, name, body]: (typeof routes)[number]) =>
  method === 'GET' ? caller.get(`/api/admin/${name}`) : caller.post(`/api/admin/${name}`, body);

describe('EcsService status', () => {
  it('shows the counts, the deployments and the last five events', async () => {
    service.events = Array.from({ length: 8 }, (_, n) => ({
      id: `${n}`,
      createdAt: 1_767_225_600 - n,
      message: `event ${n}`,
    }));
    const { status, body } = await call(admin, routes[0]);
    expect(status).toBe(200);
    expect(body).toEqual({
      runningCount: 2,
      pendingCount: 0,
      desiredCount: 2,
      serviceStatus: 'ACTIVE',
      deployments: [
        {
          id: 'ecs-svc/1',
          status: 'PRIMARY',
          taskDefinition: 'arn:aws:ecs:ap-southeast-2:123456789012:task-definition/api:7',
          desiredCount: 2,
          pendingCount: 0,
          runningCount: 2,
          failedTasks: 0,
          rolloutState: 'COMPLETED',
          rolloutStateReason: 'ECS deployment completed.',
        },
      ],
      events: Array.from({ length: 5 }, (_, n) => ({
        createdAt: new Date(1_767_225_600_000 - n * 1000).toISOString(),
        message: `event ${n}`,
      })),
    });
  });

  it('answers 503 with a hint when the service does not exist', async () => {
    service.status = 'INACTIVE';
    const { status, body } = await call(admin, routes[0]);
    expect([status, body.message]).toEqual([
      503,
      'There is no service api of cluster reef. Check ECS_CLUSTER_NAME, ECS_SERVICE_NAME and AWS_REGION.',
    ]);
  });
});

describe('EcsService scale', () => {
  it.each([0, 10])('changes the count alone to %i, and returns the previous count', async (desiredCount) => {
    const { status, body } = await admin.post('/api/admin/scale', { desiredCount });
    expect([status, body]).toEqual([200, { previousDesiredCount: 2, desiredCount }]);
    expect(aws.sent('UpdateService')).toEqual([{ cluster: 'reef', service: 'api', desiredCount }]);
  });

  it.each([-1, 11, 1.5, '3', null, undefined])('refuses %p with 400 before AWS is called', async (desiredCount) => {
    expect((await admin.post('/api/admin/scale', { desiredCount })).status).toBe(400);
    expect(aws.calls).toEqual([]);
  });
});

describe('EcsService redeploy', () => {
  it('forces a deployment that keeps half of the tasks healthy and runs at most twice as many', async () => {
    const { status, body } = await admin.post('/api/admin/redeploy');
    expect([status, body]).toEqual([200, { deploymentId: service.deployments[0]?.id }]);
    expect(body.deploymentId).not.toBe('ecs-svc/1');
    expect(aws.sent('UpdateService')).toEqual([
      {
        cluster: 'reef',
        service: 'api',
        forceNewDeployment: true,
        deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 200 },
      },
    ]);
  });
});

describe.each(routes)('%s /api/admin/%s', (...route) => {
  it('answers 503 with the reason and the remedy when AWS refuses', async () => {
    aws.faults.refuse = () => ({ name: 'AccessDeniedException', message: 'no policy allows it' });
    const { status, body } = await call(admin, route);
    expect(status).toBe(503);
    expect(body.message).toMatch(
      /^ecs:(Describe|Update)Services? on service api of cluster reef: not allowed: no policy allows it\. Give the identity/,
    );
  });

  it('answers 404 when the server has no service', async () => {
    const without = await startTestService({ beside: system });
    try {
      const caller = { get: (path: string) => without.fetch(path, { headers }), post: posted };
      const { status, body } = await call(caller, route);
      expect([status, body.message]).toEqual([404, expect.stringContaining('ECS_CLUSTER_NAME')]);
    } finally {
      await without.close();
    }
    function posted(path: string, body?: unknown) {
      return without.fetch(path, { method: 'POST', headers, body: JSON.stringify(body ?? {}) });
    }
  });

  it.each(['MANAGER', 'WORKER', 'VIEWER'] as const)('refuses a %s with 403', async (role) => {
    expect((await call(await system.as(role), route)).status).toBe(403);
    expect(aws.calls).toEqual([]);
  });

  it('refuses requests without credentials with 401', async () => {
    expect((await call(system.anonymous, route)).status).toBe(401);
  });

  const headers = {
    get authorization() {
      return `Bearer ${admin.token}`;
    },
    'content-type': 'application/json',
  };
});
