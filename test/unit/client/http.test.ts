import { expect, it } from '@jest/globals';
import { createApi } from '../../../src/client/api.js';
import { ApiError } from '../../../src/client/api-error.js';

it.each(['with\nline break', 'with Möwe ✓'])('HttpClient: throws an ApiError for an API key %j', async (apiKey) => {
  const api = createApi({ baseUrl: 'http://127.0.0.1:9', credentials: { kind: 'apiKey', apiKey } });
  const failed = api.profile().catch((error: unknown) => error);
  expect(await failed).toBeInstanceOf(ApiError);
  expect(await failed).toHaveProperty('message', expect.stringMatching(/^Invalid API key: /));
});
