import type { LogEvent } from '../../contract/executions.js';
import { createBatcher } from '../../database/batcher.js';
import type { Database } from '../../database/database.js';
import { isRefusedInput } from '../../database/errors.js';
import type { Notifications } from '../../database/notifications.js';

/** A stored event and its place: places grow within an execution in the order in which events became visible. */
export interface StoredEvent extends LogEvent {
  place: number;
}

export const logsTopic = (executionId: string) => `logs:${executionId}`;

/** Event ids that were new, null when all were: mostly so, and then there is nothing to send. */
interface Appended {
  fresh: string[] | null;
}

/**
 * Guarantee: an event is stored once, whoever sends it again. Writers of one execution take turns (the row lock), so ids
 * become visible in their own order: who has read up to one has missed none below.
 */
const appendText = `
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
SELECT CASE WHEN count(*) < cardinality($2) THEN COALESCE(array_agg(event_id), '{}') END AS fresh FROM appended`;

/** Lines of several executions that one statement stores: under many events a second that is a tenth of the round trips. */
const maxTogether = 2_000;

interface Batch {
  executionId: string;
  events: readonly LogEvent[];
}

const pageSize = 2_000;
const pageBytes = 1_000_000;

/**
 * The next events: so many at most, and no more once their bytes are too many, for a line may be long. The bytes of a value
 * are known without reading it whole, its characters are not.
 */
const page = (which: string, order: string) => `
SELECT id::float8 AS place, event_id, timestamp::float8 AS timestamp, message FROM (
  SELECT *, sum(octet_length(message)) OVER (ORDER BY ${order} ROWS UNBOUNDED PRECEDING) - octet_length(message) AS before FROM (
    SELECT id, event_id, timestamp, message FROM "LogEvent"
    WHERE execution_id = $1 AND ${which} ORDER BY ${order} LIMIT ${pageSize}
  ) few
) measured WHERE before < ${pageBytes} ORDER BY ${order}`;

const afterText = page('id > $2::bigint', 'id');
const inTimeText = page('(timestamp, id) > ($2::bigint, $3::bigint)', 'timestamp, id');

/** What executions print, a row a line. */
export function createLogStore(database: Database, notifications: Notifications) {
  const appendAll = async (batches: readonly Batch[]): Promise<number[]> => {
    const events = batches.flatMap((batch) => batch.events);
    const [appended] = await database.rows<Appended>('log-append', appendText, [
      batches.flatMap((batch) => batch.events.map(() => batch.executionId)),
      events.map(({ event_id }) => event_id),
      events.map(({ timestamp }) => timestamp),
      events.map(({ message }) => message),
      [...new Set(batches.map(({ executionId }) => executionId))],
    ]);
    const fresh = appended?.fresh && new Set(appended.fresh);
    // Of two who bring the same event in one statement, the first brought it.
    const isFresh = ({ event_id }: LogEvent) => !fresh || fresh.delete(event_id);
    const counts = batches.map((batch) => batch.events.filter(isFresh).length);
    notifications.publish(batches.flatMap(({ executionId }, n) => (counts[n] ? [logsTopic(executionId)] : [])));
    return counts;
  };
  const append = createBatcher({
    serve: appendAll,
    maxWeight: maxTogether,
    weigh: ({ events }: Batch) => events.length,
    concurrency: 2,
    isFaultOfCall: isRefusedInput,
  });

  return {
    /** Stores events that are not there yet, in their order, and tells who listens; how many were new. */
    append: async (executionId: string, events: readonly LogEvent[]): Promise<number> =>
      events.length === 0 ? 0 : append({ executionId, events }),
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
    /** Removes the events of executions that ended so long ago. */
    async removeOld(days: number): Promise<void> {
      await database.rows(
        'log-old',
        `DELETE FROM "LogEvent" WHERE execution_id IN (
           SELECT execution_id FROM "Execution" WHERE completed_at < now() - make_interval(days => $1))`,
        [days],
      );
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
