import { describe, expect, it } from '@jest/globals';
import { hasPermission } from '../../../src/accounts/permissions.js';
import { type RoleName, roles } from '../../../src/contract/auth.js';
import type { Permission } from '../../../src/contract/route.js';

const users: RoleName[] = ['OPERATOR', 'DEVELOPER', 'VIEWER', 'ANALYST'];

/** Roles that have each permission, beside ADMIN. `none`: an account without roles. */
const table: Record<Permission, (RoleName | 'none')[]> = {
  'users:admin': [],
  'users:read': ['OPERATOR'],
  'secrets:use': ['OPERATOR', 'DEVELOPER'],
  'secrets:read': ['OPERATOR'],
  'secrets:write': ['OPERATOR', 'DEVELOPER'],
  'executions:run': ['OPERATOR', 'DEVELOPER'],
  'executions:list': ['OPERATOR', 'DEVELOPER', 'VIEWER'],
  'executions:own': ['OPERATOR', 'DEVELOPER'],
  'executions:any': ['OPERATOR'],
  'images:use': ['OPERATOR', 'DEVELOPER'],
  'images:write': ['OPERATOR'],
  'health:reconcile': ['OPERATOR'],
  'trace:read': [],
  'service:admin': [],
  'jobs:invalidate': [],
  'content:own': ['none', ...users],
  'jobs:create': ['none', ...users],
  'jobs:read': ['none', ...users],
  'jobs:read-all': ['ANALYST'],
  'jobs:poll': ['WORKER', 'MANAGER'],
  'jobs:work': ['WORKER'],
  'jobs:demand': ['MANAGER'],
  'capacity:manage': ['MANAGER'],
};
const permissions = Object.keys(table) as Permission[];

describe.each(permissions)('hasPermission: %s', (permission) => {
  it.each(['none', ...roles] as const)('is decided for %s by the table', (role) => {
    const allowed = role === 'ADMIN' || table[permission].includes(role);
    expect(hasPermission(role === 'none' ? [] : [role], permission)).toBe(allowed);
  });
});

describe('hasPermission: several roles', () => {
  it('combine their permissions', () => {
    expect(hasPermission(['WORKER', 'MANAGER'], 'jobs:work')).toBe(true);
    expect(hasPermission(['WORKER', 'MANAGER'], 'jobs:demand')).toBe(true);
    expect(hasPermission(['VIEWER', 'ANALYST'], 'jobs:read-all')).toBe(true);
  });

  it('have every permission when ADMIN is one of them', () => {
    for (const permission of permissions) expect(hasPermission(['WORKER', 'ADMIN'], permission)).toBe(true);
  });

  it('lack the permissions of every user when a service role is one of them', () => {
    expect(hasPermission(['WORKER', 'DEVELOPER'], 'jobs:create')).toBe(false);
    expect(hasPermission(['MANAGER', 'VIEWER'], 'content:own')).toBe(false);
  });
});
