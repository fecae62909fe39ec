import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let system: TestService;
let admin: TestCaller;
beforeAll(async () => {
  system = await startTestService();
  admin = await system.as('ADMIN');
});
afterAll(() => system.close());

const password = 'long enough';
const address = () => `${randomUUID()}@example.org`;
const login = (email: string, attempt = password) =>
  system.anonymous.post('/api/auth/login', { email, password: attempt });
const create = async (roles?: string[]) => {
  const email = address();
  const { body } = await admin.post('/api/users', { email, password, ...(roles ? { roles } : {}) });
  return { email, id: body.userId as number, body };
};

describe('the users of an administrator', () => {
  it('are created with roles, each kept once', async () => {
    const { email, id, body } = await create(['ANALYST', 'VIEWER', 'ANALYST']);
    expect(body).toEqual({ userId: id, user: { id, email, roles: ['ANALYST', 'VIEWER'] } });
    expect((await login(email)).status).toBe(200);
  });

  it('are created without roles unless roles are given', async () => {
    expect((await create()).body.user.roles).toEqual([]);
  });

  it('are not created twice for one address', async () => {
    const { email } = await create();
    const again = await admin.post('/api/users', { email: email.toUpperCase(), password });
    expect(again).toMatchObject({ status: 400, body: { message: 'User already exists' } });
  });

  it('are read one by one and as a list, without passwords', async () => {
    const { id, email } = await create(['WORKER']);
    const user = { id, email, roles: ['WORKER'] };
    expect((await admin.get(`/api/users/${id}`)).body).toEqual({ user });
    expect((await admin.get('/api/users')).body.users).toContainEqual(user);
  });

  it('receive other roles', async () => {
    const { id } = await create(['WORKER']);
    const { body } = await admin.put(`/api/users/${id}/roles`, { roles: ['MANAGER', 'MANAGER'] });
    expect(body.user.roles).toEqual(['MANAGER']);
    expect((await admin.get(`/api/users/${id}`)).body.user.roles).toEqual(['MANAGER']);
  });

  it('receive another password and lose their refresh tokens', async () => {
    const { id, email } = await create();
    const { refreshToken } = (await login(email)).body;
    expect((await admin.put(`/api/users/${id}/password`, { password: 'another one' })).status).toBe(204);
    expect((await login(email)).status).toBe(401);
    expect((await login(email, 'another one')).status).toBe(200);
    expect((await system.anonymous.post('/api/auth/token', { refreshToken })).status).toBe(401);
  });

  it('are removed, and can no longer log in', async () => {
    const { id, email } = await create();
    expect((await admin.delete(`/api/users/${id}`)).status).toBe(204);
    expect((await admin.get(`/api/users/${id}`)).status).toBe(404);
    expect((await login(email)).status).toBe(401);
  });

  it('include the administrator, who cannot remove the own account', async () => {
    expect((await admin.delete(`/api/users/${admin.userId}`)).status).toBe(400);
  });

  it('pass shared jobs on to the next requester when removed, and take the other jobs along', async () => {
    const [first, second] = [await system.as(), await system.as()];
    const shared = { type: 'TEST', inputPayload: { id: 100 } };
    const { jobId } = (await first.post('/api/jobs', shared)).body;
    const own = (await first.post('/api/jobs', { type: 'TEST', inputPayload: { id: 101 } })).body.jobId;
    await second.post('/api/jobs', shared);
    await admin.delete(`/api/users/${first.userId}`);
    expect((await second.get(`/api/jobs/${jobId}`)).body.job.user_id).toBe(second.userId);
    expect((await admin.get(`/api/jobs/${own}`)).status).toBe(404);
  });

  it.each([
    ['get', '', undefined],
    ['put', '/roles', { roles: [] }],
    ['put', '/password', { password }],
    ['delete', '', undefined],
  ] as const)('are answered 404 when unknown: %s %s', async (method, path, body) => {
    expect((await admin[method](`/api/users/2147483647${path}`, body)).status).toBe(404);
  });

  it.each([
    ['an unknown role', 'put', '/roles', { roles: ['ROOT'] }, 'roles.0'],
    ['roles of another type', 'put', '/roles', { roles: 'ADMIN' }, 'roles'],
    ['a short password', 'put', '/password', { password: 'short' }, 'password'],
  ] as const)('refuse %s', async (_, method, path, body, at) => {
    const answer = await admin[method](`/api/users/${admin.userId}${path}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.issues[0].path).toBe(at);
  });

  it('are answered 404 and never 500 when changes race with a removal', async () => {
    for (let n = 0; n < 10; n += 1) {
      const { userId } = await system.as();
      const answers = await Promise.all([
        admin.put(`/api/users/${userId}/roles`, { roles: ['VIEWER'] }),
        admin.delete(`/api/users/${userId}`),
        admin.put(`/api/users/${userId}/roles`, { roles: ['ANALYST'] }),
      ]);
      for (const { status } of answers) expect([200, 204, 401, 404]).toContain(status);
    }
  });
});

describe('the audit log', () => {
  let subject: number;
  beforeAll(async () => {
    subject = (await create(['WORKER'])).id;
    await admin.put(`/api/users/${subject}/roles`, { roles: ['ANALYST'] });
    await admin.put(`/api/users/${subject}/password`, { password: 'another one' });
  });
  const log = (query: string) => admin.get(`/api/users/utils/log?${query}`);

  it('holds actor, action and subject, newest first', async () => {
    const { logs, pagination } = (await log(`userId=${subject}`)).body;
    expect(logs.map(({ action }: { action: string }) => action)).toEqual(['SET_PASSWORD', 'SET_ROLES', 'CREATE_USER']);
    expect(logs[1]).toMatchObject({
      userId: subject,
      metadata: { by: admin.userId, from: ['WORKER'], to: ['ANALYST'] },
      user: { id: subject, roles: ['ANALYST'] },
    });
    expect(pagination).toEqual({ page: 1, limit: 50, total: 3, pages: 1 });
  });

  it('is read page by page', async () => {
    const pages = await Promise.all([1, 2, 3].map((page) => log(`userId=${subject}&limit=2&page=${page}`)));
    expect(pages.map(({ body }) => body.logs.length)).toEqual([2, 1, 0]);
    expect(pages[1]?.body.pagination).toEqual({ page: 2, limit: 2, total: 3, pages: 2 });
    const ids = pages.flatMap(({ body }) => body.logs.map(({ id }: { id: number }) => id));
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
  });

  it('covers every account, removed accounts included, without a filter', async () => {
    const { id, email } = await create();
    await admin.delete(`/api/users/${id}`);
    const [newest] = (await log('limit=1')).body.logs;
    expect(newest).toMatchObject({ action: 'DELETE_USER', userId: null, user: null });
    expect(newest.metadata).toEqual({ by: admin.userId, id, email });
  });

  it('holds no password', async () => {
    expect(JSON.stringify((await log('limit=500')).body)).not.toMatch(/long enough|another one|argon2/);
  });

  it.each(['page=0', 'limit=0', 'limit=501', 'page=x', 'userId=0', 'more=1', 'limit=1&limit=2'])(
    'refuses ?%s',
    async (query) => {
      expect((await log(query)).status).toBe(400);
    },
  );
});
