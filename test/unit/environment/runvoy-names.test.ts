import { describe, expect, it } from '@jest/globals';
import { serverEnvironment } from '../../../src/environment/server.js';
import { parseEnvironment } from '../../../src/environment/variables.js';

const read = (env: Record<string, string>) => parseEnvironment(serverEnvironment, env);

describe('variables of runvoy', () => {
  it.each([
    ['RUNVOY_LOG_LEVEL', 'DEBUG', 'LOG_LEVEL', 'debug'],
    ['RUNVOY_REQUEST_TIMEOUT', '90s', 'REQUEST_TIMEOUT_SECONDS', 90],
    ['RUNVOY_REQUEST_TIMEOUT', '0', 'REQUEST_TIMEOUT_SECONDS', 0],
    ['RUNVOY_WEBSOCKET_API_ENDPOINT', 'https://x.org/production', 'WEBSOCKET_API_ENDPOINT', 'wss://x.org/production'],
    ['RUNVOY_WEBSOCKET_API_ENDPOINT', 'x.org/production', 'WEBSOCKET_API_ENDPOINT', 'wss://x.org/production'],
    ['RUNVOY_EXECUTIONS_TABLE', 'executions', 'RUNVOY_EXECUTIONS_TABLE', 'executions'],
  ])('%s=%s sets %s to %j', (runvoyName, text, name, value) => {
    expect(Object.entries(read({ [runvoyName]: text }))).toContainEqual([name, value]);
  });

  it('are ignored where our variable is set', () => {
    expect(read({ RUNVOY_LOG_LEVEL: 'DEBUG', LOG_LEVEL: 'error' }).LOG_LEVEL).toBe('error');
    expect(read({ RUNVOY_REQUEST_TIMEOUT: 'soon', REQUEST_TIMEOUT_SECONDS: '5' }).REQUEST_TIMEOUT_SECONDS).toBe(5);
  });

  it.each([
    ['30', 30],
    ['1.5s', 1.5],
    ['2m', 120],
    ['1h', 3600],
    ['500ms', 0.5],
    ['1m30s', 90],
    [' 90s ', 90],
  ])('accept the timeout %j as %d seconds', (text, seconds) => {
    expect(read({ RUNVOY_REQUEST_TIMEOUT: text }).REQUEST_TIMEOUT_SECONDS).toBe(seconds);
  });

  it.each([
    ['RUNVOY_REQUEST_TIMEOUT', 'soon', 'expected a duration such as 90s or 1m30s'],
    ['RUNVOY_REQUEST_TIMEOUT', '1m 30s', 'expected a duration such as 90s or 1m30s'],
    ['RUNVOY_REQUEST_TIMEOUT', '1m30', 'expected a duration such as 90s or 1m30s'],
    ['RUNVOY_REQUEST_TIMEOUT', '1d', 'expected a duration such as 90s or 1m30s'],
    ['RUNVOY_REQUEST_TIMEOUT', '-5s', 'expected a duration such as 90s or 1m30s'],
    ['RUNVOY_LOG_LEVEL', 'loud', 'expected one of trace, debug, info, warn, error, fatal, silent'],
  ])('reject %s=%s by name', (name, text, expected) => {
    expect(() => read({ [name]: text })).toThrow(`Invalid environment:\n  ${name}: ${expected}`);
  });
});
