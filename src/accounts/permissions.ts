import type { RoleName } from '../contract/auth.js';
import type { Permission } from '../contract/route.js';

const everyUser: readonly Permission[] = ['content:own', 'jobs:create', 'jobs:read'];

/** `executions:own` covers the status and the logs of the caller's own executions only. */
const developer: readonly Permission[] = [
  'executions:run',
  'executions:list',
  'executions:own',
  'images:use',
  'secrets:use',
  'secrets:write',
];

/** Further permissions of each role. ADMIN has every permission. */
const rolePermissions: Record<Exclude<RoleName, 'ADMIN'>, readonly Permission[]> = {
  OPERATOR: [...developer, 'executions:any', 'images:write', 'secrets:read', 'users:read', 'health:reconcile'],
  DEVELOPER: developer,
  VIEWER: ['executions:list'],
  ANALYST: ['jobs:read-all'],
  WORKER: ['jobs:poll', 'jobs:work'],
  MANAGER: ['jobs:poll', 'jobs:demand', 'capacity:manage'],
};

/** Roles of programs. Least privilege: such accounts lack even the permissions of every user. */
const serviceRoles: ReadonlySet<RoleName> = new Set(['WORKER', 'MANAGER']);

/** Decides whether an account with `roles` has `permission`. An account without roles is an ordinary user. */
export function hasPermission(roles: readonly RoleName[], permission: Permission): boolean {
  if (roles.includes('ADMIN')) return true;
  if (roles.every((role) => !serviceRoles.has(role)) && everyUser.includes(permission)) return true;
  return roles.some((role) => role !== 'ADMIN' && rolePermissions[role].includes(permission));
}
