import type { ClusterStatus, Redeployed, Scaled } from '../contract/admin.js';
import type { CapacityStatus, GroupReport } from '../contract/capacity.js';
import type { Demand } from '../contract/jobs.js';
import type { HttpClient } from './http.js';

/** Returns the calls of a capacity manager, and those that show and change the cluster. */
export function capacityCalls({ call }: HttpClient) {
  return {
    /** Waits up to `wait` seconds for a demand of another version. */
    demand: (wait: number, version?: string, signal?: AbortSignal) =>
      call<Demand>('GET', '/api/jobs/demand', { query: { wait, version }, signal, waitSeconds: wait }),
    takeLease: (holder: string, ttlSeconds: number) =>
      call<{ held: true; expiresAt: string }>('POST', '/api/capacity/lease', { body: { holder, ttlSeconds } }),
    releaseLease: (holder: string) => call<void>('DELETE', '/api/capacity/lease', { body: { holder } }),
    reportCapacity: (holder: string, groups: GroupReport[], lastError: string | null) =>
      call<{ recorded: number }>('POST', '/api/capacity/snapshots', { body: { holder, groups, lastError } }),
    capacityStatus: () => call<CapacityStatus>('GET', '/api/capacity/status'),

    clusterStatus: () => call<ClusterStatus>('GET', '/api/admin/status'),
    scaleCluster: (desiredCount: number) => call<Scaled>('POST', '/api/admin/scale', { body: { desiredCount } }),
    redeployCluster: () => call<Redeployed>('POST', '/api/admin/redeploy'),
  };
}
