import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { GroupReport } from '../../../src/contract/capacity.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

let system: TestService;
let manager: TestCaller;
beforeAll(async () => {
  system = await startTestService();
  manager = await system.as('MANAGER');
});
afterAll(() => system.close());
beforeEach(async () => {
  await system.database.prisma.capacityLease.deleteMany();
  await system.database.prisma.capacitySnapshot.deleteMany();
});

const take = (holder: string, ttlSeconds = 30) => manager.post('/api/capacity/lease', { holder, ttlSeconds });
const status = async () => (await manager.get('/api/capacity/status')).body;
const report = (holder: string, groups: GroupReport[], lastError: string | null = null) =>
  manager.post('/api/capacity/snapshots', { holder, groups, lastError });
const group = (changes: Partial<GroupReport> = {}): GroupReport => ({
  group: 'test',
  jobTypes: ['TEST'],
  pending: 3,
  inProgress: 1,
  running: 1,
  desired: 4,
  lastError: null,
  ...changes,
});
const expire = () =>
  system.database.prisma.capacityLease.updateMany({ data: { expires_at: new Date(Date.now() - 1000) } });

describe('capacity lease', () => {
  it('goes to the first manager that requests it', async () => {
    const { status: code, body } = await take('one');
    expect(code).toBe(200);
    expect(body).toEqual({ held: true, expiresAt: expect.any(String) });
    expect(Date.parse(body.expiresAt) - Date.now()).toBeGreaterThan(28_000);
    expect(Date.parse(body.expiresAt) - Date.now()).toBeLessThan(31_000);
  });

  it('is refused to other managers with 409, holder and expiry', async () => {
    const { expiresAt } = (await take('one')).body;
    const refused = await take('two');
    expect(refused.status).toBe(409);
    expect(refused.body).toEqual({ status: 409, message: expect.any(String), holder: 'one', expiresAt });
  });

  it('is renewed by its holder', async () => {
    const first = (await take('one', 10)).body.expiresAt;
    expect(Date.parse((await take('one', 60)).body.expiresAt)).toBeGreaterThan(Date.parse(first) + 40_000);
  });

  it('goes to another manager after its expiry', async () => {
    await take('one');
    await expire();
    expect((await take('two')).status).toBe(200);
    expect((await take('one')).body.holder).toBe('two');
  });

  it('goes to another manager after its release', async () => {
    await take('one');
    expect((await manager.delete('/api/capacity/lease', { holder: 'one' })).status).toBe(204);
    expect((await take('two')).status).toBe(200);
  });

  it('is not released by another manager', async () => {
    await take('one');
    expect((await manager.delete('/api/capacity/lease', { holder: 'two' })).status).toBe(204);
    expect((await take('two')).status).toBe(409);
  });

  it('is released without a body, by a holder in the query or by no name', async () => {
    await take('one');
    expect((await manager.delete('/api/capacity/lease?holder=two')).status).toBe(204);
    expect((await take('two')).status).toBe(409);
    expect((await manager.delete('/api/capacity/lease')).status).toBe(204);
    expect((await take('two')).status).toBe(200);
  });

  it('goes to one of ten managers that request it at the same instant', async () => {
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => take(`manager ${n}`)));
      expect(answers.map(({ status: code }) => code).sort()).toEqual([200, ...new Array(9).fill(409)]);
      await expire();
    }
  });

  it.each([
    [{ holder: '', ttlSeconds: 30 }, 'holder'],
    [{ holder: 'one', ttlSeconds: 0 }, 'ttlSeconds'],
    [{ holder: 'one', ttlSeconds: 3601 }, 'ttlSeconds'],
    [{ holder: 'one', ttlSeconds: 1.5 }, 'ttlSeconds'],
    [{ holder: 'one' }, 'ttlSeconds'],
  ])('refuses the request %j', async (body, path) => {
    const answer = await manager.post('/api/capacity/lease', body);
    expect(answer).toMatchObject({ status: 400, body: { issues: [{ path }] } });
  });
});

describe('capacity reports', () => {
  it('are accepted from the holder of the lease alone', async () => {
    expect((await report('one', [group()])).status).toBe(409);
    await take('one');
    expect((await report('one', [group()])).status).toBe(200);
    expect((await report('two', [group()])).status).toBe(409);
  });

  it('store a snapshot of each group that changed, and of no other', async () => {
    await take('one');
    const two = group({ group: 'other', pending: 0, desired: 1 });
    const recorded = async (groups: GroupReport[]) => (await report('one', groups)).body.recorded;
    expect(await recorded([group(), two])).toBe(2);
    expect(await recorded([group(), two])).toBe(0);
    expect(await recorded([group({ lastError: 'throttled' }), two])).toBe(0);
    expect(await recorded([group({ pending: 2 }), two])).toBe(1);
    const rows = await system.database.prisma.capacitySnapshot.findMany({ orderBy: { id: 'asc' } });
    expect(
      rows.map(({ job_type, pending, in_progress, workers, desired }) => [
        job_type,
        pending,
        in_progress,
        workers,
        desired,
      ]),
    ).toEqual([
      ['test', 3, 1, 1, 4],
      ['other', 0, 1, 1, 1],
      ['test', 2, 1, 1, 4],
    ]);
  });

  it('store no snapshot when an earlier manager reported the same figures', async () => {
    await take('one');
    await report('one', [group()]);
    await expire();
    await take('two');
    expect((await report('two', [group()])).body.recorded).toBe(0);
  });
});

describe('capacity status', () => {
  it('is empty before the first manager', async () => {
    expect(await status()).toEqual({ holder: null, expiresAt: null, reportedAt: null, lastError: null, groups: [] });
  });

  it('shows the last report of the active manager', async () => {
    const { expiresAt } = (await take('one')).body;
    const groups = [group({ lastError: 'throttled' })];
    await report('one', groups, 'a turn failed');
    expect(await status()).toEqual({
      holder: 'one',
      expiresAt,
      reportedAt: expect.any(String),
      lastError: 'a turn failed',
      groups,
    });
  });

  it('shows no holder after the expiry of the lease, and the last report', async () => {
    await take('one');
    await report('one', [group()]);
    await expire();
    expect(await status()).toMatchObject({ holder: null, expiresAt: null, groups: [group()] });
  });
});
