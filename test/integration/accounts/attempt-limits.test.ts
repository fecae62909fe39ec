import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AttemptLimits } from '../../../src/accounts/attempt-limits.js';
import { startTestService, type TestService } from '../../support/service.js';

const running: TestService[] = [];
afterEach(async () => {
  for (const service of running.splice(0).reverse()) await service.close();
});

const unlimited = { points: 1_000_000, windowSeconds: 300 };
const three = { points: 3, windowSeconds: 300 };
const password = 'long enough';

/** Starts two API processes on one database with the same limits. */
async function startTwoServices(limits: Partial<AttemptLimits>) {
  const all = { account: unlimited, address: unlimited, register: unlimited, ...limits };
  const first = await startTestService({ limits: all });
  running.push(first);
  const second = await startTestService({ limits: all, beside: first });
  running.push(second);
  return [first, second] as const;
}

const register = (service: TestService, email: string) =>
  service.anonymous.post('/api/auth/register', { email, password });
const login = (service: TestService, email: string, attempt = password) =>
  service.anonymous.post('/api/auth/login', { email, password: attempt });
const refresh = (service: TestService, refreshToken: string) =>
  service.anonymous.post('/api/auth/token', { refreshToken });
const address = () => `${randomUUID()}@example.org`;

function expectLimited(answer: { status: number; headers: Headers; body: { message: string } }) {
  expect(answer.status).toBe(429);
  const retryAfter = Number(answer.headers.get('retry-after'));
  expect(retryAfter).toBeGreaterThan(0);
  expect(retryAfter).toBeLessThanOrEqual(300);
  expect(answer.body.message).toBe(`Too many attempts: try again in ${retryAfter} s`);
}

describe('failed logins of one account', () => {
  it('share a limit across API processes, whatever the case of the address', async () => {
    const [first, second] = await startTwoServices({ account: three });
    const email = address();
    await register(first, email);
    for (const [service, written] of [
      [first, email],
      [second, email.toUpperCase()],
      [first, email],
    ] as const) {
      expect((await login(service, written, 'wrong')).status).toBe(401);
    }
    for (const service of [first, second]) expectLimited(await login(service, email));
  });

  it('do not limit another account', async () => {
    const [first] = await startTwoServices({ account: three });
    const [one, other] = [address(), address()];
    await register(first, other);
    for (let n = 0; n < 4; n += 1) await login(first, one, 'wrong');
    expect((await login(first, other)).status).toBe(200);
  });

  it('are forgotten after a successful login', async () => {
    const [first] = await startTwoServices({ account: three });
    const email = address();
    await register(first, email);
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 2; n += 1) expect((await login(first, email, 'wrong')).status).toBe(401);
      expect((await login(first, email)).status).toBe(200);
    }
  });

  it('are limited for an unknown address too', async () => {
    const [first] = await startTwoServices({ account: three });
    const email = address();
    for (let n = 0; n < 3; n += 1) await login(first, email, 'wrong');
    expectLimited(await login(first, email, 'wrong'));
  });

  it('are counted exactly when 20 logins race', async () => {
    const [first, second] = await startTwoServices({ account: three });
    const email = address();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => login(n % 2 ? first : second, email, 'wrong')),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(17);
  });
});

describe('requests from one network address', () => {
  it('are limited after failed logins of different accounts', async () => {
    const [first, second] = await startTwoServices({ address: three });
    for (const service of [first, second, first]) expect((await login(service, address())).status).toBe(401);
    expectLimited(await login(second, address()));
  });

  it('are limited after refreshes with wrong tokens', async () => {
    const [first, second] = await startTwoServices({ address: three });
    for (const service of [first, second, first]) expect((await refresh(service, randomUUID())).status).toBe(401);
    expectLimited(await refresh(second, randomUUID()));
  });

  it('are not limited by successful logins and refreshes', async () => {
    const [first] = await startTwoServices({ address: three });
    const email = address();
    await register(first, email);
    for (let n = 0; n < 5; n += 1) {
      const { body, status } = await login(first, email);
      expect(status).toBe(200);
      expect((await refresh(first, body.refreshToken)).status).toBe(200);
    }
  });

  it('are limited after registrations', async () => {
    const [first, second] = await startTwoServices({ register: three });
    for (const service of [first, second, first]) expect((await register(service, address())).status).toBe(200);
    expectLimited(await register(second, address()));
  });

  it('are counted by the client address that a trusted proxy reports', async () => {
    const limits = { account: unlimited, address: three, register: unlimited };
    const service = await startTestService({ limits, env: { TRUST_PROXY: '1' } });
    running.push(service);
    const from = (client: string) =>
      service.fetch('/api/auth/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': client },
        body: JSON.stringify({ email: address(), password }),
      });
    for (let n = 0; n < 3; n += 1) await from('192.0.2.1');
    expectLimited(await from('192.0.2.1'));
    expect((await from('192.0.2.2')).status).toBe(401);
  });
});

describe('a limit', () => {
  it('expires with its window', async () => {
    const [first] = await startTwoServices({ account: { points: 1, windowSeconds: 1 } });
    const email = address();
    await register(first, email);
    await login(first, email, 'wrong');
    const answers: number[] = [];
    for (const until = Date.now() + 10_000; Date.now() < until && answers.at(-1) !== 200; ) {
      answers.push((await login(first, email)).status);
    }
    expect(answers.at(-1)).toBe(200);
  });
});
