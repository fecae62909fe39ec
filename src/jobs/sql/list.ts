import type { JobBody, JobStatus } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';
import { type Page, type PageQuery, toPage } from '../../database/page.js';
import { jobColumns } from './columns.js';

export interface ListFilter extends PageQuery {
  limit: number;
  /** Undefined lists the rows of every user. */
  requestedBy?: number | undefined;
  status?: JobStatus | undefined;
  type?: string | undefined;
}

interface Table {
  from: string;
  columns: string;
  /** Conditions and values, for example `['t.type = ?', 'TEST']`. A condition without a value does not apply. */
  conditions: [string, unknown][];
}

/** Reads a page, and counts the rows on all pages. */
async function readPage<Row extends { id: number }>(
  database: Database,
  filter: ListFilter,
  { from, columns, conditions }: Table,
): Promise<Page<Row> & { total: number }> {
  const applied = conditions.filter(([, value]) => value !== undefined);
  const toWhere = (all: readonly [string, unknown][]) =>
    all.length === 0 ? '' : `WHERE ${all.map(([condition], n) => condition.replace('?', `$${n + 1}`)).join(' AND ')}`;
  const beforeCursor: [string, unknown][] = filter.cursor === undefined ? [] : [['t.id < ?', filter.cursor]];
  const paged = [...applied, ...beforeCursor];
  const [page, count] = await Promise.all([
    database.pool.query<Row>(
      `SELECT ${columns} FROM ${from} t ${toWhere(paged)} ORDER BY t.id DESC LIMIT $${paged.length + 1}`,
      [...paged.map(([, value]) => value), filter.limit + 1],
    ),
    database.pool.query<{ total: number }>(
      `SELECT count(*)::int AS total FROM ${from} t ${toWhere(applied)}`,
      applied.map(([, value]) => value),
    ),
  ]);
  return { ...toPage(page.rows, filter), total: count.rows[0]?.total ?? 0 };
}

/** Lists jobs, newest first. `requestedBy` includes jobs joined by a request of the user. */
export const readJobs = (database: Database, filter: ListFilter) =>
  readPage<JobBody>(database, filter, {
    from: '"Job"',
    columns: jobColumns('t'),
    conditions: [
      ['t.id IN (SELECT job_id FROM "JobRequest" WHERE user_id = ?)', filter.requestedBy],
      ['t.status = ?', filter.status],
      ['t.type = ?', filter.type],
    ],
  });

export interface JobRequestRow {
  id: number;
  created_at: string;
  user_id: number;
  type: string;
  input_payload: unknown;
  cache_hash: string;
  job_id: number;
}

export const readJobRequests = (database: Database, filter: ListFilter) =>
  readPage<JobRequestRow>(database, filter, {
    from: '"JobRequest"',
    columns: 't.*',
    conditions: [
      ['t.user_id = ?', filter.requestedBy],
      ['t.type = ?', filter.type],
    ],
  });
