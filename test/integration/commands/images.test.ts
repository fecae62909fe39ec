import { describe, expect, it } from '@jest/globals';
import { useFakeExecutionsApi } from '../../support/commands/use-fake-executions-api.js';

const { api, answer, run } = useFakeExecutionsApi();

const image = {
  image: 'ghcr.io/a/b:1',
  image_id: 'ghcr.io/a/b:1',
  is_default: true,
  cpu: 512,
  memory: 1024,
  runtime_platform: 'Linux/ARM64',
  task_role_name: 'reader',
  task_execution_role_name: null,
  created_by: 'someone@example.org',
  created_at: '2026-03-01T04:05:00.000Z',
  updated_at: '2026-03-01T04:05:00.000Z',
};

describe('images', () => {
  it('list prints a line for each image', async () => {
    answer('GET /api/v1/images', { images: [image] });
    expect((await run(['images', 'list'])).stdout).toMatch(/^ghcr.io\/a\/b:1 +default +512 +1024 MiB +Linux\/ARM64 /m);
  });

  it('show prints the fields with a value', async () => {
    answer('GET /api/v1/images/ghcr.io/a/b%3A1', image);
    const { stdout } = await run(['images', 'show', image.image]);
    expect(stdout).toMatch(/^Task role +reader$/m);
    expect(stdout).not.toContain('Execution role');
  });

  it('register sends all its flags', async () => {
    answer('POST /api/v1/images/register', { image: image.image, message: 'Registered' }, 201);
    const resources = ['--default', '--cpu', '512', '--memory', '1024'];
    const flags = [...resources, '--platform', 'Linux/ARM64', '--task-role', 'reader'];
    expect((await run(['images', 'register', image.image, ...flags])).stdout).toBe('Registered ghcr.io/a/b:1\n');
    expect(api().requests.at(-1)?.body).toEqual({
      image: image.image,
      is_default: true,
      cpu: 512,
      memory: 1024,
      runtime_platform: 'Linux/ARM64',
      task_role_name: 'reader',
    });
  });

  it('remove removes an image', async () => {
    answer('DELETE /api/v1/images/ghcr.io/a/b%3A1', { image: image.image, message: 'Removed' });
    expect((await run(['images', 'remove', image.image])).stdout).toBe('Removed ghcr.io/a/b:1\n');
  });
});
