import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createLine, sendEvent, startExecution, toExitDetail, toLinesEvent, useEventFixture } from './fixture.js';

const fixture = useEventFixture();

describe('POST /process', () => {
  it('answers 200 or 400 to any event', async () => {
    const { taskArn } = await startExecution(fixture);
    const valid = [
      { 'detail-type': 'ECS Task State Change', detail: { taskArn, lastStatus: 'STOPPED', ...toExitDetail(0) } },
      { 'detail-type': 'Scheduled Event' },
      toLinesEvent(taskArn, [createLine('x')]),
      { requestContext: { routeKey: '$connect', connectionId: 'x' }, queryStringParameters: { token: 'x' } },
    ];
    const junk = fc.oneof(
      fc.constantFrom('', '\0', '\ud800', 'x'.repeat(3_000), null, -1, 1e308, [], {}, '$default', 'STOPPED', 'RUNNING'),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const spoiled = fc
      .tuple(fc.constantFrom(...valid), fc.array(fc.nat(20), { maxLength: 5 }), junk)
      .map(([event, path, value]) => spoil(event, path, value));
    await fc.assert(
      fc.asyncProperty(fc.oneof(spoiled, fc.jsonValue()), async (event) => {
        expect([200, 400]).toContain((await sendEvent(fixture, event)).status);
      }),
      { numRuns: 300 },
    );
  }, 30_000);
});

/** Returns the value with a part replaced: `path` chooses the part, modulo the number of keys at each level. */
function spoil(value: unknown, [at, ...path]: number[], by: unknown): unknown {
  if (at === undefined || typeof value !== 'object' || value === null) return by;
  const keys = Object.keys(value);
  const key = keys[at % keys.length] ?? '';
  const changed = spoil(Reflect.get(value, key), path, by);
  if (Array.isArray(value)) return value.map((item, n) => (String(n) === key ? changed : item));
  return { ...value, [key]: changed };
}
