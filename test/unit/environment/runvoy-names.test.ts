import { describe, expect, it } from '@jest/globals';
import { goSeconds } from '../../../src/environment/runvoy-names.js';
import { parseEnvironment, serverEnvironment } from '../../../src/environment/server.js';

const read = (env: Record<string, string>) => parseEnvironment(serverEnvironment, env);

describe('variables of the older server', () => {
  it.each([
    ['RUNVOY_LOG_LEVEL', 'DEBUG', 'LOG_LEVEL', 'debug'],
    ['RUNVOY_REQUEST_TIMEOUT', '90s', 'REQUEST_TIMEOUT_SECONDS', 90],
    ['RUNVOY_REQUEST_TIMEOUT', '0', 'REQUEST_TIMEOUT_SECONDS', 0],
    ['RUNVOY_WEBSOCKET_API_ENDPOINT', 'https://x.org/production', 'WEBSOCKET_API_ENDPOINT', 'wss://x.org/production'],
    ['RUNVOY_WEBSOCKET_API_ENDPOINT', 'x.org/production', 'WEBSOCKET_API_ENDPOINT', 'wss://x.org/production'],
    ['RUNVOY_EXECUTIONS_TABLE', 'executions', 'RUNVOY_EXECUTIONS_TABLE', 'executions'],
  ])('%s=%s is understood', (older, given, name, value) => {
    expect(Object.entries(read({ [older]: given }))).toContainEqual([name, value]);
  });

  it('do not count where ours are set', () => {
    expect(read({ RUNVOY_LOG_LEVEL: 'DEBUG', LOG_LEVEL: 'error' }).LOG_LEVEL).toBe('error');
  });

  it('are refused by our names when they cannot be used', () => {
    expect(() => read({ RUNVOY_REQUEST_TIMEOUT: 'soon' })).toThrow(/REQUEST_TIMEOUT_SECONDS/);
    expect(() => read({ RUNVOY_LOG_LEVEL: 'loud' })).toThrow(/LOG_LEVEL/);
  });
});

it.each([
  ['30', 30],
  ['1.5s', 1.5],
  ['2m', 120],
  ['1h', 3600],
  ['500ms', 0.5],
  ['1m30s', undefined],
  ['', undefined],
])('%j is %s seconds', (text, seconds) => {
  expect(goSeconds(text)).toBe(seconds);
});
