import { z } from 'zod';
import { time } from './common.js';
import { defineRoute } from './route.js';

export const secretName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'expected letters, digits, _ . and -, at most 128');
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected the name of an environment variable');
const keyName = variableName.meta({ description: 'The environment variable in which a command finds the value' });
const description = z.string().max(1000);
/** As much as an environment variable may well hold. */
const value = z.string().min(1).max(65_536);

/** A secret without its value. */
export const secretInfo = z
  .object({
    name: z.string(),
    key_name: z.string(),
    description: z.string(),
    created_by: z.string().nullable().meta({ description: 'Address of who made it' }),
    owned_by: z.array(z.string()),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Secret' });
export type SecretInfo = z.infer<typeof secretInfo>;

const message = z.object({ name: z.string(), message: z.string() });
const params = z.strictObject({ name: secretName });
const tag = 'Orchestrator';

export const secretRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/v1/secrets',
    tag,
    summary: 'Every secret, without its value',
    access: 'secrets:use',
    responses: { 200: { description: 'Secrets', body: z.object({ secrets: z.array(secretInfo), total: z.int() }) } },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/v1/secrets',
    tag,
    summary: 'Store a secret, encrypted',
    access: 'secrets:write',
    body: z.strictObject({ name: secretName, key_name: keyName, description: description.optional(), value }),
    responses: { 201: { description: 'Stored', body: message } },
  }),
  get: defineRoute({
    method: 'get',
    path: '/api/v1/secrets/:name',
    tag,
    summary: 'A secret with its value, for its owner and for who may read all',
    access: 'secrets:use',
    params,
    responses: {
      200: { description: 'The secret', body: z.object({ secret: secretInfo.extend({ value: z.string() }) }) },
    },
  }),
  update: defineRoute({
    method: 'put',
    path: '/api/v1/secrets/:name',
    tag,
    summary: 'Change the value, the variable or the description',
    access: 'secrets:write',
    params,
    body: z
      .strictObject({ key_name: keyName.optional(), description: description.optional(), value: value.optional() })
      .refine((changes) => Object.values(changes).some((change) => change !== undefined), 'nothing to change'),
    responses: { 200: { description: 'Changed', body: message } },
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/v1/secrets/:name',
    tag,
    summary: 'Remove a secret',
    access: 'secrets:write',
    params,
    responses: { 200: { description: 'Removed', body: message } },
  }),
};
