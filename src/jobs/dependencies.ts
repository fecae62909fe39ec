import type { LRUCache } from 'lru-cache';
import type { Database } from '../database/database.js';
import type { Storages } from '../storage/contract.js';
import type { JobNotifications } from './job-notifications.js';
import type { JobTypeRegistry } from './types/registry.js';

/** Dependencies of the functions and classes of `jobs/`. Comments number the guarantees as docs/architecture.md lists them. */
export interface JobDependencies {
  database: Database;
  notifications: JobNotifications;
  storages: Storages;
  types: JobTypeRegistry;
  /** Id of an assignment → job type, to check results without asking the database. */
  assignmentTypes: LRUCache<number, string>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Receives errors of work without a waiting request. */
  onError(error: unknown): void;
}
