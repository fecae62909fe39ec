import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApi } from '../../../src/client/api.js';
import { type FakeExecutionsApi, startFakeExecutionsApi } from '../../support/fakes/executions-api.js';

let fake: FakeExecutionsApi;
beforeAll(async () => {
  fake = await startFakeExecutionsApi();
});
afterAll(() => fake.close());

const api = () => createApi({ baseUrl: fake.url, credentials: { kind: 'apiKey', apiKey: 'key' } });
const id = 'a'.repeat(32);

describe('executionCalls', () => {
  it.each([
    ['alpine', '/api/v1/images/alpine'],
    ['ubuntu:24.04', '/api/v1/images/ubuntu%3A24.04'],
    ['ghcr.io/a/b:1', '/api/v1/images/ghcr.io/a/b%3A1'],
    ['localhost:5000/a@sha256:0', '/api/v1/images/localhost%3A5000/a%40sha256%3A0'],
    ['what?/a#b', '/api/v1/images/what%3F/a%23b'],
  ])('requests the image %s at %s', async (image, path) => {
    await api()
      .image(image)
      .catch(() => {});
    expect(fake.requests.at(-1)).toMatchObject({ method: 'GET', path });
  });

  it('reads the details of an error as issues', async () => {
    const details = [{ path: 'body.image', message: 'expected an image' }];
    fake.answers.set('POST /api/v1/run', { status: 400, body: { error: 'Invalid request', details } });
    await expect(api().run({ command: 'true' })).rejects.toMatchObject({
      status: 400,
      message: 'Invalid request',
      issues: details,
    });
    fake.answers.clear();
  });

  it('returns undefined for a kill that came too late', async () => {
    fake.answers.set(`DELETE /api/v1/executions/${id}`, { status: 204 });
    expect(await api().killExecution(id)).toBeUndefined();
  });

  it('joins the statuses of a list', async () => {
    fake.answers.set('GET /api/v1/executions', { status: 200, body: [] });
    expect(await api().executions({ limit: 0, status: ['RUNNING', 'FAILED'] })).toEqual([]);
    expect(fake.requests.at(-1)?.query).toBe('?limit=0&status=RUNNING%2CFAILED');
  });
});
