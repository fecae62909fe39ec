import { describe, expect, it } from '@jest/globals';
import {
  createLine,
  sendEvent,
  sendTaskChange,
  startExecution,
  toExitDetail,
  toLinesEvent,
  useEventFixture,
} from './fixture.js';

const fixture = useEventFixture();

describe('WebSocket events of a gateway', () => {
  let connections = 0;
  const connect = (url: string) => {
    connections += 1;
    const connectionId = `connection=${connections}`;
    const token = new URL(url).searchParams.get('token') ?? '';
    const event = (routeKey: string) => ({
      requestContext: { routeKey, connectionId, domainName: 'abc.execute-api.x.amazonaws.com', stage: 'production' },
      ...(routeKey === '$connect' ? { queryStringParameters: { token } } : {}),
    });
    return { connectionId, event };
  };

  it('send a subscriber stored lines after its first message, then new lines, then a disconnect', async () => {
    const { taskArn, url } = await startExecution(fixture);
    expect(url).toContain(`${fixture.gateway.endpoint}?token=`);
    await sendEvent(fixture, toLinesEvent(taskArn, [createLine('one')]));
    const { connectionId, event } = connect(url);
    expect((await sendEvent(fixture, event('$connect'))).body).toMatchObject({ applied: true, statusCode: 200 });
    expect((await sendEvent(fixture, event('$default'))).body).toMatchObject({ applied: true, statusCode: 200 });
    expect(fixture.gateway.lines(connectionId)).toEqual(['one']);
    const batch = toLinesEvent(taskArn, [createLine('two'), createLine('three')]);
    await Promise.all([sendEvent(fixture, batch), sendEvent(fixture, batch), sendEvent(fixture, event('$default'))]);
    expect(fixture.gateway.lines(connectionId)).toEqual(['one', 'two', 'three']);
    await sendTaskChange(fixture, taskArn, 'STOPPED', toExitDetail(0));
    expect(fixture.gateway.sent.get(connectionId)?.at(-1)).toEqual({
      type: 'disconnect',
      reason: 'execution_completed',
    });
    expect(fixture.gateway.closed).toContain(connectionId);
    expect((await sendEvent(fixture, event('$disconnect'))).body).toMatchObject({ applied: false, statusCode: 200 });
  });

  it('refuse an invalid token and a used token', async () => {
    const { url } = await startExecution(fixture);
    expect((await sendEvent(fixture, connect(url).event('$connect'))).body.statusCode).toBe(200);
    expect((await sendEvent(fixture, connect(url).event('$connect'))).body).toMatchObject({
      applied: false,
      statusCode: 401,
    });
    expect((await sendEvent(fixture, connect('ws://x?token=guess').event('$connect'))).body.statusCode).toBe(401);
  });

  it('leave a subscriber to the process that took the lease meanwhile', async () => {
    const { taskArn, url } = await startExecution(fixture);
    const { connectionId, event } = connect(url);
    await sendEvent(fixture, event('$connect'));
    const text = `UPDATE "LogConnection" SET after = 7, busy_until = now() + interval '1 minute' WHERE connection_id = $1`;
    fixture.gateway.onMessage = async (id, count) => {
      if (id === connectionId && count === 150) await fixture.system.database.pool.query(text, [connectionId]);
    };
    await sendEvent(
      fixture,
      toLinesEvent(
        taskArn,
        Array.from({ length: 450 }, (_, n) => createLine(`line ${n}`)),
      ),
    );
    // The lines before the cursor would have been recorded.
    expect(fixture.gateway.lines(connectionId)).toEqual(Array.from({ length: 200 }, (_, n) => `line ${n}`));
    const { rows } = await fixture.system.database.pool.query(
      'SELECT after::int, busy_until > now() AS held FROM "LogConnection" WHERE connection_id = $1',
      [connectionId],
    );
    expect(rows).toEqual([{ after: 7, held: true }]);
  });

  it('forget a subscriber that has hung up, and delay nothing', async () => {
    const { taskArn, url } = await startExecution(fixture);
    const { connectionId, event } = connect(url);
    await sendEvent(fixture, event('$connect'));
    fixture.gateway.gone.add(connectionId);
    expect((await sendEvent(fixture, toLinesEvent(taskArn, [createLine('one')]))).status).toBe(200);
    const { rows } = await fixture.system.database.pool.query(
      'SELECT 1 FROM "LogConnection" WHERE connection_id = $1',
      [connectionId],
    );
    expect(rows).toEqual([]);
  });
});
