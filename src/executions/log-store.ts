import type { LogEvent } from '../contract/executions.js';
import type { Database } from '../database/database.js';
import type { Notices } from '../database/notices.js';

/** A stored event and its place: places grow within an execution in the order in which events became visible. */
export interface StoredEvent extends LogEvent {
  place: number;
}

export const logsTopic = (executionId: string) => `logs:${executionId}`;

/**
 * Guarantee: an event is stored once, whoever sends it again. Writers of one execution take turns (the row lock), so ids
 * become visible in their own order: who has read up to one has missed none below.
 */
const appendText = `
WITH execution AS MATERIALIZED (
  SELECT execution_id FROM "Execution" WHERE execution_id = $1 FOR NO KEY UPDATE
)
INSERT INTO "LogEvent" (execution_id, event_id, timestamp, message)
SELECT e.execution_id, n.event_id, n.timestamp, n.message
FROM execution e, unnest($2::text[], $3::bigint[], $4::text[]) WITH ORDINALITY AS n (event_id, timestamp, message, ordinal)
ORDER BY n.ordinal
ON CONFLICT (event_id) DO NOTHING
RETURNING 1`;

const pageSize = 2_000;
const pageCharacters = 1_000_000;

/** The next events: so many at most, and no more once their characters are too many, for a line may be long. */
const page = (which: string, order: string) => `
SELECT id::float8 AS place, event_id, timestamp::float8 AS timestamp, message FROM (
  SELECT *, sum(length(message)) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) - length(message) AS before FROM (
    SELECT id, event_id, timestamp, message FROM "LogEvent"
    WHERE execution_id = $1 AND ${which} ORDER BY ${order} LIMIT ${pageSize}
  ) few
) measured WHERE before < ${pageCharacters} ORDER BY ${order}`;

const afterText = page('id > $2::bigint', 'id');
const inTimeText = page('(timestamp, id) > ($2::bigint, $3::bigint)', 'timestamp, id');

/** What executions print, a row a line. */
export function createLogStore(database: Database, notices: Notices) {
  return {
    /** Stores events that are not there yet, in their order, and tells who listens; how many were new. */
    async append(executionId: string, events: readonly LogEvent[]): Promise<number> {
      if (events.length === 0) return 0;
      const stored = await database.rows('log-append', appendText, [
        executionId,
        events.map(({ event_id }) => event_id),
        events.map(({ timestamp }) => timestamp),
        events.map(({ message }) => message),
      ]);
      if (stored.length > 0) notices.publish([logsTopic(executionId)]);
      return stored.length;
    },
    /** The next events after a place, a page at most, in the order of places; empty when there are none. */
    after: (executionId: string, place: number): Promise<StoredEvent[]> =>
      database.rows<StoredEvent>('log-after', afterText, [executionId, place]),
    /** The place of the newest event, 0 when there is none. */
    async lastPlace(executionId: string): Promise<number> {
      const [row] = await database.rows<{ place: number }>(
        'log-last',
        'SELECT COALESCE(max(id), 0)::float8 AS place FROM "LogEvent" WHERE execution_id = $1',
        [executionId],
      );
      return row?.place ?? 0;
    },
    /** The place of an event; undefined when the execution has no such event. */
    async placeOf(executionId: string, eventId: string): Promise<number | undefined> {
      const [found] = await database.rows<{ place: number }>(
        'log-place',
        'SELECT id::float8 AS place FROM "LogEvent" WHERE execution_id = $1 AND event_id = $2',
        [executionId, eventId],
      );
      return found?.place;
    },
    /** Every event in time order, a page at a time. */
    async *inTimeOrder(executionId: string): AsyncGenerator<LogEvent[]> {
      let last: StoredEvent | undefined;
      for (;;) {
        const from = [last?.timestamp ?? -1, last?.place ?? 0];
        const rows: StoredEvent[] = await database.rows('log-in-time', inTimeText, [executionId, ...from]);
        if (rows.length === 0) return;
        last = rows.at(-1);
        yield rows.map(({ place: _, ...event }) => event);
      }
    },
  };
}
export type LogStore = ReturnType<typeof createLogStore>;
