import { z } from 'zod';
import { type CapacityStatus, type GroupReport, groupReport } from '../contract/capacity.js';
import { ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';

const leaseName = 'capacity';

const takeLeaseSql = `
INSERT INTO "CapacityLease" (name, holder, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3::float8))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE "CapacityLease".holder = excluded.holder OR "CapacityLease".expires_at < now()
RETURNING expires_at`;

const releaseLeaseSql = `
UPDATE "CapacityLease" SET expires_at = now() WHERE name = $1 AND holder = coalesce($2, holder) AND expires_at > now()`;

const readLeaseSql = `
SELECT holder, expires_at, expires_at > now() AS is_valid, report FROM "CapacityLease" WHERE name = $1`;

interface LeaseRow {
  holder: string;
  expires_at: string;
  is_valid: boolean;
  report: unknown;
}

const storedReport = z.object({ at: z.string(), lastError: z.string().nullable(), groups: z.array(groupReport) });

/**
 * Takes or renews the lease; throws a conflict with the holder's name while another manager has the lease. Ensures: one
 * statement checks and sets by the clock of the database, so two managers never have the lease together.
 */
export async function takeLease(database: Database, holder: string, ttlSeconds: number) {
  for (;;) {
    const parameters = [leaseName, holder, ttlSeconds];
    const [row] = await database.rows<{ expires_at: string }>('capacity-take', takeLeaseSql, parameters);
    if (row) return { held: true as const, expiresAt: row.expires_at };
    const lease = await readLease(database);
    if (lease?.is_valid && lease.holder !== holder) {
      const fields = { holder: lease.holder, expiresAt: lease.expires_at };
      throw new ServiceError('conflict', `The lease is held by ${lease.holder}`, { fields });
    }
  }
}

/** Ends the lease of the holder, or of any holder when undefined; does nothing when another manager has the lease. */
export async function releaseLease(database: Database, holder: string | undefined): Promise<void> {
  await database.rows('capacity-release', releaseLeaseSql, [leaseName, holder ?? null]);
}

/** Stores the holder's report and snapshots of changed groups. Returns the number of snapshots. Throws a conflict. */
export async function recordReport(
  database: Database,
  { holder, groups, lastError }: { holder: string; groups: GroupReport[]; lastError: string | null },
  nowMs: number,
): Promise<number> {
  const lease = await readLease(database);
  if (lease?.holder !== holder) throw new ServiceError('conflict', 'You do not hold the lease: take it first');
  const earlier = storedReport.safeParse(lease.report).data?.groups ?? [];
  const earlierFigures = new Map(earlier.map((group) => [group.group, toFigures(group)]));
  const changed = groups.filter((group) => earlierFigures.get(group.group) !== toFigures(group));
  await database.prisma.$transaction([
    database.prisma.capacityLease.updateMany({
      where: { name: leaseName, holder },
      data: { report: { at: new Date(nowMs).toISOString(), lastError, groups } },
    }),
    database.prisma.capacitySnapshot.createMany({
      data: changed.map((group) => ({
        job_type: group.group,
        pending: group.pending,
        in_progress: group.inProgress,
        workers: group.running,
        desired: group.desired,
      })),
    }),
  ]);
  return changed.length;
}

/** Returns the holder of a valid lease, and the last report of any holder. */
export async function readCapacityStatus(database: Database): Promise<CapacityStatus> {
  const lease = await readLease(database);
  const report = storedReport.safeParse(lease?.report).data;
  const { holder = null, expires_at: expiresAt = null } = lease?.is_valid ? lease : {};
  const { at: reportedAt = null, lastError = null, groups = [] } = report ?? {};
  return { holder, expiresAt, reportedAt, lastError, groups };
}

async function readLease(database: Database): Promise<LeaseRow | undefined> {
  const [lease] = await database.rows<LeaseRow>('capacity-lease', readLeaseSql, [leaseName]);
  return lease;
}

/** Returns the figures of a snapshot, for example `3,1,1,4`. */
const toFigures = ({ pending, inProgress, running, desired }: GroupReport) =>
  [pending, inProgress, running, desired].join();
