import type { Logger } from 'pino';
import type { DisconnectReason, LogMessage } from '../../contract/executions.js';
import { createBatcher } from '../../database/batcher.js';
import type { Database } from '../../database/database.js';
import type { Records } from '../runs/sql.js';
import type { LogStore } from './store.js';
import type { LogTokens } from './tokens.js';

/** Sends to connections that a gateway holds. */
export interface SocketGateway {
  /** false: the connection has gone. */
  send(endpoint: string, connectionId: string, text: string): Promise<boolean>;
  close(endpoint: string, connectionId: string): Promise<void>;
}

interface Connection {
  connection_id: string;
  execution_id: string;
  endpoint: string;
  after: number;
  /** Until when it is held, which also says by whom. */
  busy_until: string;
}

/** Who pushes to a connection does so alone for this long; a process that died meanwhile is waited for as long. */
const aloneSeconds = 30;
/** After so many lines, or so long, the place is recorded and the connection held anew. */
const savedLines = 100;
const savedEveryMs = 5_000;
/** The gateway takes no larger message than 128 KiB. */
const maxMessageCharacters = 30_000;

/** Guarantee: of several processes one pushes to a connection, so that lines come in order and once. */
const takeText = `
UPDATE "LogConnection" SET busy_until = now() + make_interval(secs => ${aloneSeconds})
WHERE connection_id = $1 AND (busy_until IS NULL OR busy_until < now())
RETURNING connection_id, execution_id, endpoint, after::float8 AS after, busy_until::text`;

/** Of one that is held: records its place, and holds it on or lets it go. No row: another has taken it meanwhile. */
const placeText = `
UPDATE "LogConnection" SET after = $2, busy_until = CASE WHEN $4 THEN now() + make_interval(secs => ${aloneSeconds}) END
WHERE connection_id = $1 AND busy_until = $3::timestamptz RETURNING COALESCE(busy_until::text, '') AS busy_until`;

/** Subscribers of logs whose WebSockets API Gateway holds: what each was sent is recorded, the rest is pushed. */
export function createSocketConnections(deps: {
  database: Database;
  logs: LogStore;
  records: Records;
  tokens: LogTokens;
  gateway: SocketGateway;
  log: Logger;
  now(): number;
}) {
  const { database, logs, records, tokens, gateway, log, now } = deps;

  const remove = async (connectionId: string): Promise<boolean> => {
    const gone = await database.rows(
      'socket-remove',
      'DELETE FROM "LogConnection" WHERE connection_id = $1 RETURNING 1',
      [connectionId],
    );
    return gone.length > 0;
  };
  /** Whether it is still ours. */
  const savePlace = async (connection: Connection, goesOn: boolean): Promise<boolean> => {
    const { connection_id, after, busy_until } = connection;
    const [held] = await database.rows<{ busy_until: string }>('socket-place', placeText, [
      connection_id,
      after,
      busy_until,
      goesOn,
    ]);
    if (held) connection.busy_until = held.busy_until;
    return held !== undefined;
  };
  const say = (connection: Connection, message: LogMessage) =>
    gateway.send(connection.endpoint, connection.connection_id, JSON.stringify(message));

  /** Sends what the connection has not had. `over`: it has gone, or was told goodbye; `lost`: another sends to it now. */
  const sendRest = async (connection: Connection): Promise<'sent' | 'over' | 'lost'> => {
    // The end first: whatever was stored before it is then read below.
    const end = await records.endOf(connection.execution_id);
    for (;;) {
      const events = await logs.after(connection.execution_id, connection.after);
      if (events.length === 0) break;
      let unsaved = 0;
      let savedAt = now();
      for (const { place, message, ...event } of events) {
        if (!(await say(connection, { type: 'log', ...event, message: message.slice(0, maxMessageCharacters) })))
          return 'over';
        connection.after = place;
        unsaved += 1;
        if (unsaved < savedLines && now() - savedAt < savedEveryMs) continue;
        if (!(await savePlace(connection, true))) return 'lost';
        unsaved = 0;
        savedAt = now();
      }
      if (unsaved > 0 && !(await savePlace(connection, true))) return 'lost';
    }
    if (end && !end.ended) return 'sent';
    const reason: DisconnectReason = 'execution_completed';
    await say(connection, { type: 'disconnect', reason });
    await gateway.close(connection.endpoint, connection.connection_id);
    return 'over';
  };

  const push = async (connectionId: string): Promise<void> => {
    // Whoever was refused below because another was pushing relies on that one to look again.
    for (;;) {
      const [connection] = await database.rows<Connection>('socket-take', takeText, [connectionId]);
      if (!connection) return;
      try {
        const outcome = await sendRest(connection);
        if (outcome === 'over') await remove(connectionId);
        if (outcome !== 'sent') return;
      } finally {
        await savePlace(connection, false);
      }
      const { execution_id } = connection;
      const end = await records.endOf(execution_id);
      if (!end?.ended && (await logs.lastPlace(execution_id)) <= connection.after) return;
    }
  };

  /** Most executions have no such subscriber: for many at once that is one question. */
  const listenersOf = createBatcher({
    async serve(executionIds: string[]) {
      const rows = await database.rows<{ execution_id: string; connection_id: string }>(
        'sockets-of',
        'SELECT execution_id, connection_id FROM "LogConnection" WHERE execution_id = ANY ($1)',
        [executionIds],
      );
      return executionIds.map((executionId) =>
        rows.filter(({ execution_id }) => execution_id === executionId).map(({ connection_id }) => connection_id),
      );
    },
    maxWeight: 200,
    concurrency: 2,
  });

  return {
    async opened(given: { connectionId: string; endpoint: string; token: string; after: string | undefined }) {
      const executionId = await tokens.take(given.token);
      if (executionId === undefined) return false;
      const place = given.after === undefined ? 0 : await logs.placeOf(executionId, given.after);
      if (place === undefined) return false;
      await database.rows(
        'socket-add',
        `INSERT INTO "LogConnection" (connection_id, execution_id, endpoint, after) VALUES ($1, $2, $3, $4)
         ON CONFLICT (connection_id) DO NOTHING`,
        [given.connectionId, executionId, given.endpoint, place],
      );
      return true;
    },
    /** Pushes what it has not had; false when it is not known. */
    async spoke(connectionId: string): Promise<boolean> {
      const [known] = await database.rows('socket-known', 'SELECT 1 FROM "LogConnection" WHERE connection_id = $1', [
        connectionId,
      ]);
      if (known) await push(connectionId);
      return known !== undefined;
    },
    closed: remove,
    /** Pushes new lines, or the end, to whoever listens. A subscriber that cannot be reached keeps no other waiting. */
    async pushAll(executionId: string): Promise<void> {
      const connectionIds = await listenersOf(executionId);
      await Promise.all(
        connectionIds.map((connectionId) =>
          push(connectionId).catch((error: unknown) =>
            log.warn({ err: error, executionId }, 'lines could not be pushed to a subscriber'),
          ),
        ),
      );
    },
    /** Connections end after two hours whatever we hear: that is the gateway's own limit. */
    async removeOld(): Promise<void> {
      await database.rows(
        'sockets-old',
        `DELETE FROM "LogConnection" WHERE connected_at < now() - interval '3 hours'`,
        [],
      );
    },
  };
}
export type SocketConnections = ReturnType<typeof createSocketConnections>;
