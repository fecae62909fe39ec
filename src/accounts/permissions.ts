import type { RoleName } from '../contract/auth.js';
import type { Permission } from '../contract/route.js';

/** What people may whatever their roles: use the service for themselves. */
const ofAnyUser: readonly Permission[] = ['content:own', 'jobs:create', 'jobs:read'];

/** The value of a secret, the logs of an execution: only where it is their own. */
const developer: readonly Permission[] = [
  'executions:run',
  'executions:list',
  'executions:own',
  'images:use',
  'secrets:use',
  'secrets:write',
];

/** What each role may beyond that. ADMIN may everything. */
const ofRole: Record<Exclude<RoleName, 'ADMIN'>, readonly Permission[]> = {
  OPERATOR: [...developer, 'executions:any', 'images:write', 'secrets:read', 'users:read', 'health:reconcile'],
  DEVELOPER: developer,
  VIEWER: ['executions:list'],
  ANALYST: ['jobs:read-all'],
  WORKER: ['jobs:poll', 'jobs:work'],
  MANAGER: ['jobs:poll', 'jobs:demand', 'capacity:manage'],
};

/** Accounts of programs: least privilege, so not even what any user may. */
const serviceRoles: ReadonlySet<RoleName> = new Set(['WORKER', 'MANAGER']);

/** Whether somebody with these roles may do it. An account with no role is an ordinary user. */
export function mayDo(roles: readonly RoleName[], permission: Permission): boolean {
  if (roles.includes('ADMIN')) return true;
  if (roles.every((role) => !serviceRoles.has(role)) && ofAnyUser.includes(permission)) return true;
  return roles.some((role) => role !== 'ADMIN' && ofRole[role].includes(permission));
}
