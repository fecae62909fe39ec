import { describe, expect, it } from '@jest/globals';
import { createLease } from '../../../../src/capacity/manager/lease.js';
import { refusal } from './support.js';

/** A lease of an API that answers as the test says. */
function leaseOf() {
  const clock = { ms: 0 };
  const asked: [string, number][] = [];
  const released: string[] = [];
  const server: { failure: unknown } = { failure: undefined };
  const lease = createLease(
    {
      async takeLease(holder, ttlSeconds) {
        asked.push([holder, ttlSeconds]);
        if (server.failure) throw server.failure;
        return { held: true, expiresAt: '' };
      },
      async releaseLease(holder) {
        released.push(holder);
      },
    },
    'me',
    () => clock.ms,
  );
  return { lease, clock, asked, released, server };
}
const seconds = (count: number) => count * 1000;

describe('the lease', () => {
  it('is taken for thirty seconds and renewed every ten', async () => {
    const { lease, clock, asked } = leaseOf();
    expect(await lease.hold()).toEqual({ held: true });
    clock.ms = seconds(9.9);
    await lease.hold();
    expect(asked).toEqual([['me', 30]]);
    clock.ms = seconds(10);
    await lease.hold();
    expect(asked).toHaveLength(2);
  });

  it('of somebody else names its holder, and is asked for each time', async () => {
    const { lease, asked, server } = leaseOf();
    server.failure = refusal(409, { holder: 'another' });
    expect(await lease.hold()).toEqual({ held: false, holder: 'another' });
    expect(await lease.hold()).toEqual({ held: false, holder: 'another' });
    server.failure = undefined;
    expect(await lease.hold()).toEqual({ held: true });
    expect(asked).toHaveLength(3);
  });

  it('that somebody else took over is ours no longer', async () => {
    const { lease, clock, server, released } = leaseOf();
    await lease.hold();
    clock.ms = seconds(10);
    server.failure = refusal(409, { holder: 'another' });
    expect(await lease.hold()).toEqual({ held: false, holder: 'another' });
    await lease.release();
    expect(released).toEqual([]);
  });

  it('of a server without leases is held', async () => {
    const { lease, server } = leaseOf();
    server.failure = refusal(404);
    expect(await lease.hold()).toEqual({ held: true });
  });

  it.each([0, 500, 503])('stays ours while the API answers %d, until it would lapse', async (status) => {
    const { lease, clock, server } = leaseOf();
    await lease.hold();
    server.failure = refusal(status);
    clock.ms = seconds(24.9);
    expect(await lease.hold()).toEqual({ held: true });
    clock.ms = seconds(25);
    await expect(lease.hold()).rejects.toBe(server.failure);
  });

  it('was never held when the API did not answer from the start', async () => {
    const { lease, server } = leaseOf();
    server.failure = refusal(0);
    await expect(lease.hold()).rejects.toBe(server.failure);
  });

  it('is given up once', async () => {
    const { lease, released } = leaseOf();
    await lease.release();
    await lease.hold();
    await lease.release();
    await lease.release();
    expect(released).toEqual(['me']);
  });
});
