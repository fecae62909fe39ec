import type { LogEvent } from '../../contract/executions.js';
import { createBatcher } from '../../database/batcher.js';
import type { Database } from '../../database/database.js';
import { isRefusedInput } from '../../database/errors.js';
import type { Notifications } from '../../database/notifications.js';

/** Event in the database. Positions grow within an execution in the order of visibility. */
export interface StoredEvent extends LogEvent {
  position: number;
}

/** Returns the topic of new events of an execution, for example `logs:9f86d081884c7d65`. */
export const logsTopic = (executionId: string) => `logs:${executionId}`;

/**
 * Ensures: an event is stored once, however often the event is sent. Writers of one execution take turns (row lock), so
 * positions become visible in order: a reader at a position has missed no event below.
 * `new_ids` is null, to send less, when all events were new, as usual.
 */
const appendSql = `
WITH execution AS MATERIALIZED (
  SELECT execution_id FROM "Execution" WHERE execution_id = ANY ($5) ORDER BY execution_id FOR NO KEY UPDATE
), appended AS (
  INSERT INTO "LogEvent" (execution_id, event_id, timestamp, message)
  SELECT execution_id, n.event_id, n.timestamp, n.message
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[]) WITH ORDINALITY
    AS n (execution_id, event_id, timestamp, message, ordinal)
  JOIN execution USING (execution_id) ORDER BY n.ordinal
  ON CONFLICT (event_id) DO NOTHING
  RETURNING event_id
)
SELECT CASE WHEN count(*) < cardinality($2) THEN COALESCE(array_agg(event_id), '{}') END AS new_ids FROM appended`;

/** Events of several executions per statement: a tenth of the round trips under many small batches. */
const maxEventsTogether = 2_000;
type Batch = { executionId: string; events: readonly LogEvent[] };

const maxPageEvents = 2_000;
const maxPageBytes = 1_000_000;

/**
 * Returns the SQL of a page of events: at most `maxPageEvents`, ended early at `maxPageBytes`, because a line may be
 * long. Counts bytes rather than characters, because Postgres knows the bytes of a value without reading the value.
 */
const pageSql = (condition: string, order: string) => `
SELECT id::float8 AS position, event_id, timestamp::float8 AS timestamp, message FROM (
  SELECT *, sum(octet_length(message)) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) - octet_length(message) AS before FROM (
    SELECT id, event_id, timestamp, message FROM "LogEvent"
    WHERE execution_id = $1 AND ${condition} ORDER BY ${order} LIMIT ${maxPageEvents}
  ) few
) measured WHERE before < ${maxPageBytes} ORDER BY ${order}`;

const readAfterSql = pageSql('id > $2::bigint', 'id');
const inTimeOrderSql = pageSql('(timestamp, id) > ($2::bigint, $3::bigint)', 'timestamp, id');

/** Log events of executions in Postgres, a row a line. */
export class LogStore {
  private readonly appendBatched = createBatcher({
    serve: (batches: Batch[]) => this.appendAll(batches),
    maxWeight: maxEventsTogether,
    weigh: ({ events }) => events.length,
    concurrency: 2,
    isFaultOfCall: isRefusedInput,
  });

  constructor(
    private readonly database: Database,
    private readonly notifications: Pick<Notifications, 'publish'>,
  ) {}

  /** Stores new events in order, and notifies subscribers. Returns the number of new events. */
  async append(executionId: string, events: readonly LogEvent[]): Promise<number> {
    return events.length === 0 ? 0 : this.appendBatched({ executionId, events });
  }

  /** Returns the next page of events after a position; an empty page when there are none. */
  readAfter(executionId: string, position: number): Promise<StoredEvent[]> {
    return this.database.rows<StoredEvent>('log-after', readAfterSql, [executionId, position]);
  }

  /** Returns the position of the newest event, 0 without events. */
  async lastPosition(executionId: string): Promise<number> {
    const lastSql = 'SELECT COALESCE(max(id), 0)::float8 AS position FROM "LogEvent" WHERE execution_id = $1';
    const [row] = await this.database.rows<{ position: number }>('log-last', lastSql, [executionId]);
    return row?.position ?? 0;
  }

  /** Returns the position of an event, or undefined when the execution has no such event. */
  async findPosition(executionId: string, eventId: string): Promise<number | undefined> {
    const findSql = 'SELECT id::float8 AS position FROM "LogEvent" WHERE execution_id = $1 AND event_id = $2';
    const [row] = await this.database.rows<{ position: number }>('log-position', findSql, [executionId, eventId]);
    return row?.position;
  }

  /** Deletes the events of executions `days` days after the end. */
  async removeOld(days: number): Promise<void> {
    const deleteSql = `DELETE FROM "LogEvent" WHERE execution_id IN (
      SELECT execution_id FROM "Execution" WHERE completed_at < now() - make_interval(days => $1))`;
    await this.database.rows('log-old', deleteSql, [days]);
  }

  /** Yields all events in order of time, a page at a time. */
  async *inTimeOrder(executionId: string): AsyncGenerator<LogEvent[]> {
    let last: StoredEvent | undefined;
    for (;;) {
      const cursor = [last?.timestamp ?? -1, last?.position ?? 0];
      const rows: StoredEvent[] = await this.database.rows('log-in-time', inTimeOrderSql, [executionId, ...cursor]);
      if (rows.length === 0) return;
      last = rows.at(-1);
      yield rows.map(({ position: _, ...event }) => event);
    }
  }

  private async appendAll(batches: readonly Batch[]): Promise<number[]> {
    const events = batches.flatMap((batch) => batch.events);
    const [appended] = await this.database.rows<{ new_ids: string[] | null }>('log-append', appendSql, [
      batches.flatMap((batch) => batch.events.map(() => batch.executionId)),
      events.map(({ event_id }) => event_id),
      events.map(({ timestamp }) => timestamp),
      events.map(({ message }) => message),
      [...new Set(batches.map(({ executionId }) => executionId))],
    ]);
    const newIds = appended?.new_ids && new Set(appended.new_ids);
    // Counts an event of two calls in one batch for the first call alone.
    const isNew = ({ event_id }: LogEvent) => !newIds || newIds.delete(event_id);
    const counts = batches.map((batch) => batch.events.filter(isNew).length);
    this.notifications.publish(batches.flatMap(({ executionId }, n) => (counts[n] ? [logsTopic(executionId)] : [])));
    return counts;
  }
}
