import type { JobStatus } from '../../contract/jobs.js';
import type { Database } from '../../database/database.js';

const countJobsSql = 'SELECT type, status, count(*)::int AS count FROM "Job" GROUP BY type, status';

/** Counts jobs by type and status for the metrics. Reads the whole table, so call rarely. */
export const countJobs = (database: Database) =>
  database.rows<{ type: string; status: JobStatus; count: number }>('jobs-count', countJobsSql, []);
