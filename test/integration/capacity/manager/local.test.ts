import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { countWaitingClaims, payload, readAttempts, readJobStatus, sql, submit } from '../../../support/jobs.js';
import { group, openTaskFixture, type TaskFixture } from '../../../support/local-tasks.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';
import { until } from '../../../support/until.js';

let system: TestService;
let user: TestCaller;
let fixture: TaskFixture;

beforeAll(async () => {
  system = await startTestService();
  user = await system.as();
});
beforeEach(async () => {
  fixture = await openTaskFixture(system);
});
afterEach(async () => {
  await fixture.close();
  await sql(system, 'DELETE FROM "Job"');
  await sql(system, 'DELETE FROM "CapacityLease"');
});
afterAll(() => system.close());

describe('CapacityManager on this machine', () => {
  it('launches a task for each job up to the maximum, and none twice', async () => {
    const compute = await fixture.compute();
    const manager = fixture.manager(compute);
    await manager.turn();
    expect(await compute.list([group])).toEqual([]);
    for (let n = 0; n < 5; n += 1) await submit(user, payload(n));
    await manager.turn();
    await manager.turn();
    expect(await compute.list([group])).toHaveLength(3);
    const notes = await fixture.notes(3);
    expect(new Set(notes.map(({ jobId }) => jobId)).size).toBe(3);
    await manager.turn();
    expect(await compute.list([group])).toHaveLength(3);
    expect(manager.status()).toMatchObject({
      active: true,
      lastError: null,
      groups: [{ group, pending: 2, inProgress: 3, running: 3, desired: 3 }],
    });
  });

  it('replaces a task that was killed', async () => {
    const compute = await fixture.compute();
    const manager = fixture.manager(compute);
    const { jobId } = await submit(user, payload('one'));
    await manager.turn();
    const [note] = await fixture.notes(1);
    await manager.turn();
    process.kill(note?.pid ?? 0, 'SIGKILL');
    await until(async () => (await readJobStatus(system, jobId)) === 'PENDING');
    await until(async () => {
      await manager.turn();
      return (await readAttempts(system, jobId)).length === 2;
    });
    expect(await compute.list([group])).toHaveLength(1);
  });

  it('follows the demand while it runs, and releases the lease when it stops', async () => {
    const compute = await fixture.compute();
    const manager = fixture.manager(compute, { holder: 'runner' });
    const running = manager.run();
    await until(() => manager.status().active);
    await submit(user, payload('one'));
    await fixture.notes(1);
    manager.stop();
    await running;
    const leases = await sql(system, 'SELECT FROM "CapacityLease" WHERE expires_at > now()');
    expect(leases).toEqual([]);
    expect(await countWaitingClaims(system)).toBe(0);
  });

  it('takes over after the expiry of the lease of another manager, which then stands by', async () => {
    let now = Date.now();
    const [own, others] = [
      await fixture.compute(),
      await fixture.compute({ directory: path.join(fixture.directory, 'others') }),
    ];
    const first = fixture.manager(own, { holder: 'first', now: () => now });
    const second = fixture.manager(others, { holder: 'second' });
    await first.turn();
    await submit(user, payload('one'));
    await second.turn();
    expect([first.status().active, second.status().active]).toEqual([true, false]);
    expect(await others.list([group])).toEqual([]);
    await first.turn();
    expect(await own.list([group])).toHaveLength(1);

    await own.close();
    await sql(system, `UPDATE "CapacityLease" SET expires_at = now() - interval '1 s'`);
    await second.turn();
    expect(second.status().active).toBe(true);
    expect(await others.list([group])).toHaveLength(1);
    now += 11_000;
    await first.turn();
    expect(first.status().active).toBe(false);
    expect(await own.list([group])).toEqual([]);
  });

  it('acts alone when five managers start at the same instant', async () => {
    const managers = await Promise.all(Array.from({ length: 5 }, async () => fixture.manager(await fixture.compute())));
    await Promise.all(managers.map((manager) => manager.turn()));
    expect(managers.filter((manager) => manager.status().active)).toHaveLength(1);
  });
});
