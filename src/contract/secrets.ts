import { z } from 'zod';
import { time } from './common.js';
import { defineRoute } from './route.js';

export const secretName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'expected letters, digits, _ . and -, at most 128');
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'expected the name of an environment variable');
const keyName = variableName.meta({ description: 'Environment variable that carries the value to a command' });
const description = z.string().max(1000);
/** At most 64 KiB: Linux limits an environment variable to 128 KiB. */
const value = z.string().min(1).max(65_536);

/** A secret without its value. */
export const secretInfo = z
  .object({
    name: z.string(),
    key_name: z.string(),
    description: z.string(),
    created_by: z.string().nullable().meta({ description: 'E-mail address of the account that created the secret' }),
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
    summary: 'List secrets without their values',
    access: 'secrets:use',
    responses: {
      200: { description: 'The secrets', body: z.object({ secrets: z.array(secretInfo), total: z.int() }) },
    },
  }),
  create: defineRoute({
    method: 'post',
    path: '/api/v1/secrets',
    tag,
    summary: 'Create a secret; the value is stored encrypted',
    access: 'secrets:write',
    body: z.strictObject({ name: secretName, key_name: keyName, description: description.optional(), value }),
    responses: { 201: { description: 'The secret was created', body: message } },
  }),
  get: defineRoute({
    method: 'get',
    path: '/api/v1/secrets/:name',
    tag,
    summary: 'Get a secret with its value; for its owner, or with `secrets:read`',
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
    summary: 'Change the value, the variable or the description of a secret',
    access: 'secrets:write',
    params,
    body: z
      .strictObject({ key_name: keyName.optional(), description: description.optional(), value: value.optional() })
      .refine(
        (changes) => Object.values(changes).some((change) => change !== undefined),
        'expected key_name, description or value',
      ),
    responses: { 200: { description: 'The secret was changed', body: message } },
  }),
  remove: defineRoute({
    method: 'delete',
    path: '/api/v1/secrets/:name',
    tag,
    summary: 'Remove a secret',
    access: 'secrets:write',
    params,
    responses: { 200: { description: 'The secret was removed', body: message } },
  }),
};
