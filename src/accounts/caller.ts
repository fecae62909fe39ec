import type { RoleName } from '../contract/auth.js';
import type { Permission } from '../contract/route.js';
import { hasPermission } from './permissions.js';

/** The account behind a request, as every layer below the HTTP layer receives it. */
export interface Caller {
  userId: number;
  email: string;
  roles: readonly RoleName[];
  /** Id of the request, for records of changes and for traces. */
  requestId: string;
}

/** Decides whether the roles of `caller` include `permission`, for example `can(caller, 'executions:any')`. */
export const can = (caller: Pick<Caller, 'roles'>, permission: Permission): boolean =>
  hasPermission(caller.roles, permission);

export const isAdmin = (caller: Pick<Caller, 'roles'>): boolean => caller.roles.includes('ADMIN');
