import { z } from 'zod';
import { role } from './auth.js';
import { time } from './common.js';
import { defineRoute } from './route.js';

/** An account with the state of its API keys. */
export const apiKeyUser = z
  .object({
    email: z.string(),
    role: role.nullable(),
    roles: z.array(role),
    last_used: time.nullable(),
    revoked: z.boolean().meta({ description: 'True when the account had API keys and every key was revoked' }),
  })
  .meta({ id: 'ApiKeyUser' });
export type ApiKeyUser = z.infer<typeof apiKeyUser>;

const created = z.object({ user: apiKeyUser, claim_token: z.string() });
export type CreatedApiKeyUser = z.infer<typeof created>;
const claimed = z.object({ api_key: z.string(), user_email: z.string(), message: z.string() });
export type ClaimedApiKey = z.infer<typeof claimed>;

const tag = 'Orchestrator';
const email = z.email().max(254);

export const apiKeyUserRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/v1/users',
    tag,
    summary: 'List accounts with the state of their API keys',
    access: 'users:read',
    responses: {
      200: { description: 'The accounts, without any key', body: z.object({ users: z.array(apiKeyUser) }) },
    },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/v1/users/create',
    tag,
    summary: 'Create an account whose API key is claimed once, within 15 minutes',
    access: 'users:admin',
    body: z.strictObject({ email, role }),
    responses: { 201: { description: 'The account and its claim token', body: created } },
  }),
  revoke: defineRoute({
    method: 'post',
    path: '/api/v1/users/revoke',
    tag,
    summary: 'Revoke every API key, refresh token and claim of an account',
    access: 'users:admin',
    body: z.strictObject({ email }),
    responses: {
      200: { description: 'Everything was revoked', body: z.object({ email: z.string(), message: z.string() }) },
    },
  }),
  claim: defineRoute({
    method: 'get',
    path: '/api/v1/claim/:token',
    tag,
    summary: 'Exchange a claim token for an API key, once',
    access: 'public',
    params: z.strictObject({ token: z.string().min(1).max(200) }),
    responses: { 200: { description: 'The API key, shown only once', body: claimed } },
  }),
};
