import type { Logger } from 'pino';
import type { LogMessage } from '../../contract/executions.js';
import { createBatcher } from '../../database/batcher.js';
import type { Database } from '../../database/database.js';
import type { SocketOpened } from '../../events/decode.js';
import { readExecutionEnd } from '../runs/sql.js';
import type { LogStore, StoredEvent } from './store.js';
import type { LogTokens } from './tokens.js';

/** Sends to WebSocket connections of API Gateway. */
export interface SocketGateway {
  /** Returns false when the connection has gone. */
  send(endpoint: string, connectionId: string, text: string): Promise<boolean>;
  close(endpoint: string, connectionId: string): Promise<void>;
}

interface GatewaySubscribersDependencies {
  database: Database;
  logs: LogStore;
  tokens: LogTokens;
  gateway: SocketGateway;
  log: Logger;
  now(): number;
}

/** Connection with the lease of the sending process. */
interface Connection {
  connection_id: string;
  execution_id: string;
  endpoint: string;
  /** Position of the last event sent. */
  after: number;
  /** Expiry of the lease. Also identifies the owner of the lease. */
  busy_until: string;
}

/** Delay of a connection's lines, at most, after the death of the sending process. */
const leaseSeconds = 30;
/** The position is saved and the lease renewed after so many lines, or so long. */
const maxUnsavedLines = 100;
const maxUnsavedMs = 5_000;
/** Keeps a message below API Gateway's limit of 128 KiB. */
const maxMessageCharacters = 30_000;

/** Ensures: one process at a time sends to a connection, so lines arrive once and in order. */
const acquireSql = `
UPDATE "LogConnection" SET busy_until = now() + make_interval(secs => ${leaseSeconds})
WHERE connection_id = $1 AND (busy_until IS NULL OR busy_until < now())
RETURNING connection_id, execution_id, endpoint, after::float8 AS after, busy_until::text`;

/** Saves the position under a lease, and renews ($4) or releases the lease. Returns no row when the lease was lost. */
const savePositionSql = `
UPDATE "LogConnection" SET after = $2, busy_until = CASE WHEN $4 THEN now() + make_interval(secs => ${leaseSeconds}) END
WHERE connection_id = $1 AND busy_until = $3::timestamptz RETURNING COALESCE(busy_until::text, '') AS busy_until`;

/** `over`: the connection was closed; `lost`: the lease was lost. */
type SendOutcome = 'sent' | 'over' | 'lost';

/** Subscribers of logs behind API Gateway. Records the position of each subscriber, and sends later events. */
export class GatewaySubscribers {
  /** Finds the connections of many executions with one statement, because few executions have connections. */
  private readonly findConnections = createBatcher({
    serve: (executionIds: string[]) => this.findAllConnections(executionIds),
    maxWeight: 200,
    concurrency: 2,
  });

  constructor(private readonly deps: GatewaySubscribersDependencies) {}

  /** Adds a connection. Returns false for a bad token, and for an unknown event in `after`. */
  async add({ connectionId, endpoint, token, after }: Omit<SocketOpened, 'kind'>): Promise<boolean> {
    const { database, logs, tokens } = this.deps;
    const executionId = await tokens.redeem(token);
    if (executionId === undefined) return false;
    const position = after === undefined ? 0 : await logs.findPosition(executionId, after);
    if (position === undefined) return false;
    const addSql = `
      INSERT INTO "LogConnection" (connection_id, execution_id, endpoint, after) VALUES ($1, $2, $3, $4)
      ON CONFLICT (connection_id) DO NOTHING`;
    await database.rows('socket-add', addSql, [connectionId, executionId, endpoint, position]);
    return true;
  }

  /** Sends a connection the events after its position. Returns false for an unknown connection. */
  async sendTo(connectionId: string): Promise<boolean> {
    const existsSql = 'SELECT 1 FROM "LogConnection" WHERE connection_id = $1';
    const [connection] = await this.deps.database.rows('socket-exists', existsSql, [connectionId]);
    if (connection) await this.push(connectionId);
    return connection !== undefined;
  }

  /** Returns false for an unknown connection. */
  async remove(connectionId: string): Promise<boolean> {
    const deleteSql = 'DELETE FROM "LogConnection" WHERE connection_id = $1 RETURNING 1';
    return (await this.deps.database.rows('socket-remove', deleteSql, [connectionId])).length > 0;
  }

  /** Sends new events, or the end, to all connections of an execution. A failing connection delays no other. */
  async sendToAll(executionId: string): Promise<void> {
    const connectionIds = await this.findConnections(executionId);
    const onError = (error: unknown) =>
      this.deps.log.warn({ err: error, executionId }, 'could not send log lines to a subscriber');
    await Promise.all(connectionIds.map((connectionId) => this.push(connectionId).catch(onError)));
  }

  /** Removes connections older than three hours, because API Gateway ends each after two. */
  async removeOld(): Promise<void> {
    const deleteSql = `DELETE FROM "LogConnection" WHERE connected_at < now() - interval '3 hours'`;
    await this.deps.database.rows('sockets-old', deleteSql, []);
  }

  private async findAllConnections(executionIds: readonly string[]): Promise<string[][]> {
    const findSql = 'SELECT execution_id, connection_id FROM "LogConnection" WHERE execution_id = ANY ($1)';
    const rows = await this.deps.database.rows<Connection>('sockets-of', findSql, [executionIds]);
    return executionIds.map((executionId) =>
      rows.filter(({ execution_id }) => execution_id === executionId).map(({ connection_id }) => connection_id),
    );
  }

  /** Sends all events under the lease. Does nothing while another process has the lease and sends the rest. */
  private async push(connectionId: string): Promise<void> {
    const { database, logs } = this.deps;
    for (;;) {
      const [connection] = await database.rows<Connection>('socket-acquire', acquireSql, [connectionId]);
      if (!connection) return;
      try {
        const outcome = await this.sendRest(connection);
        if (outcome === 'over') await this.remove(connectionId);
        if (outcome !== 'sent') return;
      } finally {
        await this.savePosition(connection, false);
      }
      // Looks once more after the release, because a process with newer events may have been refused the lease.
      const { execution_id, after } = connection;
      const end = await readExecutionEnd(database, execution_id);
      if (!end?.hasEnded && (await logs.lastPosition(execution_id)) <= after) return;
    }
  }

  /** Sends all events after the connection's position, and the end of an ended execution. */
  private async sendRest(connection: Connection): Promise<SendOutcome> {
    const { database, logs, gateway } = this.deps;
    // Reads the end first: all events stored before the end are then read below.
    const end = await readExecutionEnd(database, connection.execution_id);
    for (;;) {
      const events = await logs.readAfter(connection.execution_id, connection.after);
      if (events.length === 0) break;
      const outcome = await this.sendEvents(connection, events);
      if (outcome !== 'sent') return outcome;
    }
    if (end && !end.hasEnded) return 'sent';
    await this.send(connection, { type: 'disconnect', reason: 'execution_completed' });
    await gateway.close(connection.endpoint, connection.connection_id);
    return 'over';
  }

  private async sendEvents(connection: Connection, events: readonly StoredEvent[]): Promise<SendOutcome> {
    const { now } = this.deps;
    let unsavedLines = 0;
    let savedAt = now();
    for (const { position, message, ...event } of events) {
      const shortened = message.slice(0, maxMessageCharacters);
      if (!(await this.send(connection, { type: 'log', ...event, message: shortened }))) return 'over';
      connection.after = position;
      unsavedLines += 1;
      if (unsavedLines < maxUnsavedLines && now() - savedAt < maxUnsavedMs) continue;
      if (!(await this.savePosition(connection, true))) return 'lost';
      unsavedLines = 0;
      savedAt = now();
    }
    return unsavedLines === 0 || (await this.savePosition(connection, true)) ? 'sent' : 'lost';
  }

  private send({ endpoint, connection_id }: Connection, message: LogMessage): Promise<boolean> {
    return this.deps.gateway.send(endpoint, connection_id, JSON.stringify(message));
  }

  /** Returns false when another process has taken the lease. */
  private async savePosition(connection: Connection, renewLease: boolean): Promise<boolean> {
    const { connection_id, after, busy_until } = connection;
    const values = [connection_id, after, busy_until, renewLease];
    const [saved] = await this.deps.database.rows<{ busy_until: string }>('socket-save', savePositionSql, values);
    if (saved) connection.busy_until = saved.busy_until;
    return saved !== undefined;
  }
}
