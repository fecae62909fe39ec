import { describe, expect, it } from '@jest/globals';
import { SetupError } from '../../../src/contract/errors.js';
import { managerEnvironment } from '../../../src/environment/capacity-manager.js';
import { parseEnvironment, serverEnvironment } from '../../../src/environment/server.js';

const problems = (
  env: NodeJS.ProcessEnv,
  schema: typeof serverEnvironment | typeof managerEnvironment = serverEnvironment,
) => {
  try {
    parseEnvironment(schema, env);
  } catch (error) {
    if (error instanceof SetupError) return error.message;
    throw error;
  }
  return '';
};

describe('the environment of the API', () => {
  it('has a default for everything it needs', () => {
    expect(parseEnvironment(serverEnvironment, {})).toMatchObject({
      NODE_ENV: 'development',
      JWT_EXPIRES_IN: 3600,
      REFRESH_TOKEN_EXPIRES_IN: 172_800,
      LOG_LEVEL: 'info',
      ALLOWED_ORIGINS: '',
    });
  });

  it('takes an empty variable for unset', () => {
    const { PUBLIC_API_URL, LOG_LEVEL } = parseEnvironment(serverEnvironment, { PUBLIC_API_URL: '', LOG_LEVEL: '' });
    expect([PUBLIC_API_URL, LOG_LEVEL]).toEqual([undefined, 'info']);
  });

  it('takes numbers as text', () => {
    expect(parseEnvironment(serverEnvironment, { DATABASE_POOL_SIZE: '20' }).DATABASE_POOL_SIZE).toBe(20);
  });

  const bad = {
    DATABASE_URL: 'mysql://root:hunter2@db/reef',
    DATABASE_POOL_SIZE: 'hunter2',
    LOG_LEVEL: 'hunter2',
    PUBLIC_API_URL: 'hunter2',
    TRUST_PROXY: '99',
    JWT_EXPIRES_IN: '-5',
    S3_ENDPOINT: 'hunter2',
    URL_SIGNING_KEY: 'hunter2',
    PROCESSOR_TOKEN: 'hunter2',
    ADMIN_USERNAME: 'admin@example.org',
    ADMIN_PASSWORD: 'hunter2',
    WORKER_PASSWORD: 'hunter2hunter2',
  };

  it.each(Object.keys(bad).filter((name) => name !== 'ADMIN_USERNAME'))('names %s when it is wrong', (name) => {
    expect(problems({ [name]: bad[name as keyof typeof bad] })).toContain(`  ${name}: `);
  });

  it('reports every problem together, also an account that is half there', () => {
    const message = problems(bad);
    for (const name of Object.keys(bad).filter((one) => one !== 'ADMIN_USERNAME'))
      expect(message).toContain(`  ${name}: `);
  });

  it('never shows a value', () => {
    expect(problems(bad)).not.toMatch(/hunter2|admin@example|mysql|99|-5/);
  });

  it.each(['ADMIN', 'MANAGER', 'WORKER'])('wants name and password of %s, or neither', (role) => {
    expect(problems({ [`${role}_USERNAME`]: 'a@example.org' })).toContain(`  ${role}_PASSWORD: set both`);
    expect(problems({ [`${role}_PASSWORD`]: 'long enough' })).toContain(`  ${role}_PASSWORD: set both`);
    expect(problems({ [`${role}_USERNAME`]: 'a@example.org', [`${role}_PASSWORD`]: 'long enough' })).toBe('');
  });
});

describe('the environment of the capacity manager', () => {
  it.each([
    ['POLL_INTERVAL_MS', '499'],
    ['POLL_INTERVAL_MS', 'soon'],
    ['API_ENDPOINT', 'localhost'],
    ['PORT', '65536'],
  ])('refuses %s=%s', (name, value) => {
    expect(problems({ [name]: value }, managerEnvironment)).toContain(`  ${name}: `);
  });

  it('polls every three seconds unless told otherwise', () => {
    expect(parseEnvironment(managerEnvironment, {}).POLL_INTERVAL_MS).toBe(3000);
  });
});
