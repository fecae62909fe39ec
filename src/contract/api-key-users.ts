import { z } from 'zod';
import { role } from './auth.js';
import { time } from './common.js';
import { defineRoute } from './route.js';

/** Somebody who uses the orchestrator by an API key. */
export const apiKeyUser = z
  .object({
    email: z.string(),
    role: role.nullable(),
    roles: z.array(role),
    last_used: time.nullable(),
    revoked: z.boolean().meta({ description: 'Had keys, and none of them is good any more' }),
  })
  .meta({ id: 'Person' });
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
    summary: 'Everybody; never a key',
    access: 'users:read',
    responses: { 200: { description: 'People', body: z.object({ users: z.array(apiKeyUser) }) } },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/v1/users/create',
    tag,
    summary: 'Make an account whose API key is claimed once, within 15 minutes',
    access: 'users:admin',
    body: z.strictObject({ email, role }),
    responses: { 201: { description: 'Made', body: created } },
  }),
  revoke: defineRoute({
    method: 'post',
    path: '/api/v1/users/revoke',
    tag,
    summary: 'Stop every key, session and claim of an account at once',
    access: 'users:admin',
    body: z.strictObject({ email }),
    responses: { 200: { description: 'Revoked', body: z.object({ email: z.string(), message: z.string() }) } },
  }),
  claim: defineRoute({
    method: 'get',
    path: '/api/v1/claim/:token',
    tag,
    summary: 'Exchange a claim token for an API key, once',
    access: 'public',
    params: z.strictObject({ token: z.string().min(1).max(200) }),
    responses: { 200: { description: 'The key, shown this once', body: claimed } },
  }),
};
