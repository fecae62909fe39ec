import { describe, expect, it } from '@jest/globals';
import { Lease } from '../../../../src/capacity/manager/lease.js';
import { refusal } from './support.js';

/** Returns a lease of an API that fails with `server.failure`. */
function makeLease() {
  const clock = { ms: 0 };
  const requests: [string, number][] = [];
  const released: string[] = [];
  const server: { failure: unknown } = { failure: undefined };
  const lease = new Lease(
    {
      async takeLease(holder, ttlSeconds) {
        requests.push([holder, ttlSeconds]);
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
  return { lease, clock, requests, released, server };
}
const seconds = (count: number) => count * 1000;

describe('Lease', () => {
  it('takes the lease for thirty seconds and renews it every ten', async () => {
    const { lease, clock, requests } = makeLease();
    expect(await lease.acquire()).toEqual({ acquired: true });
    clock.ms = seconds(9.9);
    await lease.acquire();
    expect(requests).toEqual([['me', 30]]);
    clock.ms = seconds(10);
    await lease.acquire();
    expect(requests).toHaveLength(2);
  });

  it('names the holder of a lease of another manager, and requests the lease each time', async () => {
    const { lease, requests, server } = makeLease();
    server.failure = refusal(409, { holder: 'another' });
    expect(await lease.acquire()).toEqual({ acquired: false, holder: 'another' });
    expect(await lease.acquire()).toEqual({ acquired: false, holder: 'another' });
    server.failure = undefined;
    expect(await lease.acquire()).toEqual({ acquired: true });
    expect(requests).toHaveLength(3);
  });

  it('loses a lease that another manager has taken over', async () => {
    const { lease, clock, server, released } = makeLease();
    await lease.acquire();
    clock.ms = seconds(10);
    server.failure = refusal(409, { holder: 'another' });
    expect(await lease.acquire()).toEqual({ acquired: false, holder: 'another' });
    await lease.release();
    expect(released).toEqual([]);
  });

  it('counts as acquired on a server without leases', async () => {
    const { lease, server } = makeLease();
    server.failure = refusal(404);
    expect(await lease.acquire()).toEqual({ acquired: true });
  });

  it.each([0, 500, 503])(
    'stays acquired while the API fails with %d, until shortly before its expiry',
    async (status) => {
      const { lease, clock, server } = makeLease();
      await lease.acquire();
      server.failure = refusal(status);
      clock.ms = seconds(24.9);
      expect(await lease.acquire()).toEqual({ acquired: true });
      clock.ms = seconds(25);
      await expect(lease.acquire()).rejects.toBe(server.failure);
    },
  );

  it('throws when the API has not answered from the start', async () => {
    const { lease, server } = makeLease();
    server.failure = refusal(0);
    await expect(lease.acquire()).rejects.toBe(server.failure);
  });

  it('is released once', async () => {
    const { lease, released } = makeLease();
    await lease.release();
    await lease.acquire();
    await lease.release();
    await lease.release();
    expect(released).toEqual(['me']);
  });
});
