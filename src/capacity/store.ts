import { z } from 'zod';
import { type CapacityStatus, type GroupReport, groupReport } from '../contract/capacity.js';
import { ServiceError } from '../contract/errors.js';
import type { Database } from '../database/database.js';

const leaseName = 'capacity';

const takeText = `
INSERT INTO "CapacityLease" (name, holder, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3::float8))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE "CapacityLease".holder = excluded.holder OR "CapacityLease".expires_at < now()
RETURNING expires_at`;

interface LeaseRow {
  holder: string;
  expires_at: string;
  held: boolean;
  report: unknown;
}

const storedReport = z.object({ at: z.string(), lastError: z.string().nullable(), groups: z.array(groupReport) });

/** What the API keeps of capacity: who may act as manager, what it last reported, and the snapshots for graphs. */
export function createCapacityStore(database: Database, now: () => number) {
  const current = async () => {
    const [lease] = await database.rows<LeaseRow>(
      'capacity-lease',
      'SELECT holder, expires_at, expires_at > now() AS held, report FROM "CapacityLease" WHERE name = $1',
      [leaseName],
    );
    return lease;
  };
  return {
    /**
     * Takes or renews the lease. Guarantee: one statement gives it to a holder only if nobody else's is unexpired by the
     * database's clock, so two managers never hold it together.
     */
    async take(holder: string, ttlSeconds: number): Promise<{ held: true; expiresAt: string }> {
      for (;;) {
        const [row] = await database.rows<{ expires_at: string }>('capacity-take', takeText, [
          leaseName,
          holder,
          ttlSeconds,
        ]);
        if (row) return { held: true, expiresAt: row.expires_at };
        const lease = await current();
        if (lease?.held && lease.holder !== holder) {
          throw new ServiceError('conflict', `The lease is held by ${lease.holder}`, {
            fields: { holder: lease.holder, expiresAt: lease.expires_at },
          });
        }
      }
    },
    /** Gives the lease up at once; nothing happens when somebody else holds it. */
    async release(holder: string | undefined): Promise<void> {
      await database.rows(
        'capacity-release',
        'UPDATE "CapacityLease" SET expires_at = now() WHERE name = $1 AND holder = coalesce($2, holder) AND expires_at > now()',
        [leaseName, holder ?? null],
      );
    },
    /** Keeps the holder's report and one snapshot for each group that changed; the number of snapshots. */
    async report(holder: string, groups: GroupReport[], lastError: string | null): Promise<number> {
      const before = await current();
      if (before?.holder !== holder) throw new ServiceError('conflict', 'You do not hold the lease: take it first');
      const known = storedReport.safeParse(before.report);
      const last = new Map(known.success ? known.data.groups.map((group) => [group.group, figures(group)]) : []);
      const changed = groups.filter((group) => last.get(group.group) !== figures(group));
      await database.prisma.$transaction([
        database.prisma.capacityLease.updateMany({
          where: { name: leaseName, holder },
          data: { report: { at: new Date(now()).toISOString(), lastError, groups } },
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
    },
    async status(): Promise<CapacityStatus> {
      const lease = await current();
      const report = storedReport.safeParse(lease?.report);
      return {
        holder: lease?.held ? lease.holder : null,
        expiresAt: lease?.held ? lease.expires_at : null,
        reportedAt: report.success ? report.data.at : null,
        lastError: report.success ? report.data.lastError : null,
        groups: report.success ? report.data.groups : [],
      };
    },
  };
}
export type CapacityStore = ReturnType<typeof createCapacityStore>;

const figures = ({ pending, inProgress, running, desired }: GroupReport) =>
  [pending, inProgress, running, desired].join();
