import { z } from 'zod';
import { id, idParams, idText, time, wholeNumber } from './common.js';
import { defineRoute } from './route.js';

export const roles = ['ADMIN', 'OPERATOR', 'DEVELOPER', 'VIEWER', 'ANALYST', 'WORKER', 'MANAGER'] as const;
export const role = z.enum(roles);
export type RoleName = z.infer<typeof role>;

const email = z.email().max(254);
/** Eight characters or more, as clients of the API expect. The upper limit bounds the work of hashing. */
const newPassword = z.string().min(8).max(1024);
const password = z.string().min(1).max(1024);
const refreshToken = z.string().min(1).max(500);

export const user = z.object({ id, email: z.string(), roles: z.array(role) }).meta({ id: 'User' });
export type UserBody = z.infer<typeof user>;

const tag = 'Authentication';

export const authRoutes = {
  register: defineRoute({
    method: 'post',
    path: '/api/auth/register',
    tag,
    summary: 'Create an account',
    access: 'public',
    body: z.strictObject({ email, password: newPassword }),
    responses: { 200: { description: 'The account was created', body: z.object({ userId: id }) } },
  }),
  login: defineRoute({
    method: 'post',
    path: '/api/auth/login',
    tag,
    summary: 'Get an access token and a refresh token',
    access: 'public',
    body: z.strictObject({ email: z.string().min(1).max(254), password }),
    responses: {
      200: {
        description: 'An access token and a refresh token',
        body: z.object({ token: z.string(), refreshToken: z.string() }),
      },
    },
  }),
  token: defineRoute({
    method: 'post',
    path: '/api/auth/token',
    tag,
    summary: 'Exchange a refresh token for a new access token',
    access: 'public',
    body: z.strictObject({ refreshToken }),
    responses: { 200: { description: 'An access token', body: z.object({ token: z.string() }) } },
  }),
  profile: defineRoute({
    method: 'get',
    path: '/api/auth/profile',
    tag,
    summary: 'Get the account of the caller',
    access: 'user',
    responses: { 200: { description: 'The account of the caller', body: z.object({ user }) } },
  }),
  logout: defineRoute({
    method: 'post',
    path: '/api/auth/logout',
    tag,
    summary: 'Revoke a refresh token',
    access: 'user',
    body: z.strictObject({ refreshToken }),
    responses: { 204: { description: 'The refresh token was revoked' } },
  }),
  changePassword: defineRoute({
    method: 'post',
    path: '/api/auth/change-password',
    tag,
    summary: 'Change the password and revoke every refresh token of the account',
    access: 'user',
    body: z.strictObject({ currentPassword: password, newPassword }),
    responses: { 204: { description: 'The password was changed' } },
  }),
};

const users = 'Users';

export const userRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/users',
    tag: users,
    summary: 'List every account',
    access: 'users:admin',
    responses: { 200: { description: 'The accounts, ordered by id', body: z.object({ users: z.array(user) }) } },
  }),
  log: defineRoute({
    method: 'get',
    path: '/api/users/utils/log',
    tag: users,
    summary: 'Read the audit log, newest first',
    access: 'users:admin',
    query: z.strictObject({
      userId: idText.optional(),
      page: wholeNumber(1, 1_000_000).optional(),
      limit: wholeNumber(1, 500).optional(),
    }),
    responses: {
      200: {
        description: 'A page of the audit log',
        body: z.object({
          logs: z.array(
            z.object({
              id,
              userId: id.nullable(),
              time,
              action: z.string(),
              metadata: z.unknown(),
              user: user.nullable(),
            }),
          ),
          pagination: z.object({ page: z.int(), limit: z.int(), total: z.int(), pages: z.int() }),
        }),
      },
    },
  }),
  get: defineRoute({
    method: 'get',
    path: '/api/users/:id',
    tag: users,
    summary: 'Get an account',
    access: 'users:admin',
    params: idParams,
    responses: { 200: { description: 'The account', body: z.object({ user }) } },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/users',
    tag: users,
    summary: 'Create an account with roles',
    access: 'users:admin',
    body: z.strictObject({ email, password: newPassword, roles: z.array(role).max(roles.length).optional() }),
    responses: { 200: { description: 'The account was created', body: z.object({ user, userId: id }) } },
  }),
  setRoles: defineRoute({
    method: 'put',
    path: '/api/users/:id/roles',
    tag: users,
    summary: 'Replace the roles of an account',
    access: 'users:admin',
    params: idParams,
    body: z.strictObject({ roles: z.array(role).max(roles.length) }),
    responses: { 200: { description: 'The account with its new roles', body: z.object({ user }) } },
  }),
  setPassword: defineRoute({
    method: 'put',
    path: '/api/users/:id/password',
    tag: users,
    summary: 'Set the password of an account and revoke its refresh tokens',
    access: 'users:admin',
    params: idParams,
    body: z.strictObject({ password: newPassword }),
    responses: { 204: { description: 'The password was set' } },
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/users/:id',
    tag: users,
    summary: 'Remove an account',
    access: 'users:admin',
    params: idParams,
    responses: { 204: { description: 'The account was removed' } },
  }),
};
