import { describe, expect, it } from '@jest/globals';
import { SetupError } from '../../../src/contract/errors.js';
import { managerEnvironment } from '../../../src/environment/capacity-manager.js';
import { serverEnvironment } from '../../../src/environment/server.js';
import { parseEnvironment } from '../../../src/environment/variables.js';

const getProblems = (
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

describe('environment of the API', () => {
  it('has defaults for required values', () => {
    expect(parseEnvironment(serverEnvironment, {})).toMatchObject({
      NODE_ENV: 'development',
      JWT_EXPIRES_IN: 3600,
      REFRESH_TOKEN_EXPIRES_IN: 172_800,
      LOG_LEVEL: 'info',
      ALLOWED_ORIGINS: '',
    });
  });

  it('treats an empty variable as unset', () => {
    const { PUBLIC_API_URL, LOG_LEVEL } = parseEnvironment(serverEnvironment, { PUBLIC_API_URL: '', LOG_LEVEL: '' });
    expect([PUBLIC_API_URL, LOG_LEVEL]).toEqual([undefined, 'info']);
  });

  it('converts numbers', () => {
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

  it.each(Object.keys(bad).filter((name) => name !== 'ADMIN_USERNAME'))('names an invalid %s', (name) => {
    expect(getProblems({ [name]: bad[name as keyof typeof bad] })).toContain(`  ${name}: `);
  });

  it('reports all problems at once, including an account without a password', () => {
    const message = getProblems(bad);
    for (const name of Object.keys(bad).filter((variable) => variable !== 'ADMIN_USERNAME'))
      expect(message).toContain(`  ${name}: `);
  });

  it('shows no value in errors', () => {
    expect(getProblems(bad)).not.toMatch(/hunter2|admin@example|mysql|99|-5/);
  });

  it.each(['ADMIN', 'MANAGER', 'WORKER'])('requires both the name and the password of %s', (role) => {
    expect(getProblems({ [`${role}_USERNAME`]: 'a@example.org' })).toContain(`  ${role}_PASSWORD: set both`);
    expect(getProblems({ [`${role}_PASSWORD`]: 'long enough' })).toContain(`  ${role}_PASSWORD: set both`);
    expect(getProblems({ [`${role}_USERNAME`]: 'a@example.org', [`${role}_PASSWORD`]: 'long enough' })).toBe('');
  });
});

describe('environment of the capacity manager', () => {
  it.each([
    ['POLL_INTERVAL_MS', '499'],
    ['POLL_INTERVAL_MS', 'soon'],
    ['API_ENDPOINT', 'localhost'],
    ['PORT', '65536'],
  ])('rejects %s=%s', (name, value) => {
    expect(getProblems({ [name]: value }, managerEnvironment)).toContain(`  ${name}: `);
  });

  it('polls every three seconds by default', () => {
    expect(parseEnvironment(managerEnvironment, {}).POLL_INTERVAL_MS).toBe(3000);
  });
});

describe('parseEnvironment', () => {
  it.each([
    ['DATABASE_POOL_SIZE', 'many', 'expected number, received NaN'],
    ['TRUST_PROXY', '99', 'expected number to be <=10'],
    ['PUBLIC_API_URL', 'localhost', 'expected a URL'],
    ['WEBSOCKET_API_ENDPOINT', 'https://example.org', 'expected a ws:// or wss:// URL'],
    ['DATABASE_URL', 'mysql://db', 'expected a postgresql:// URL'],
  ])('states what %s=%s should have been', (name, value, expected) => {
    expect(getProblems({ [name]: value })).toBe(`Invalid environment:\n  ${name}: ${expected}`);
  });
});
