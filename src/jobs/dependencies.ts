import type { Database } from '../database/database.js';
import type { Storages } from '../storage/contract.js';
import type { JobNotifications } from './job-notifications.js';
import type { JobTypeRegistry } from './types/registry.js';

/** Dependencies of the functions and classes of this directory; each names the ones that it needs by `Pick`. */
export interface JobDependencies {
  database: Database;
  notifications: JobNotifications;
  storages: Storages;
  types: JobTypeRegistry;
  /** Milliseconds since 1970. */
  now(): number;
}
