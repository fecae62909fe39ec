import { z } from 'zod';
import { defineRoute } from './route.js';

const tag = 'System';
const access = 'public';
const ok = z.looseObject({ status: z.literal('ok') });

export const systemRoutes = {
  root: defineRoute({
    method: 'get',
    path: '/api',
    tag,
    summary: 'Get the name and version of the service',
    access,
    responses: { 200: { description: 'Name and version', body: z.object({ name: z.string(), version: z.string() }) } },
  }),
  health: defineRoute({
    method: 'get',
    path: '/api/health',
    tag,
    summary: 'Check that the process is alive',
    access,
    responses: { 200: { description: 'The process is alive', body: ok } },
  }),
  ready: defineRoute({
    method: 'get',
    path: '/api/ready',
    tag,
    summary: 'Check that the database answers and has every migration',
    access,
    responses: { 200: { description: 'The service is ready', body: ok } },
  }),
  jwks: defineRoute({
    method: 'get',
    path: '/api/.well-known/jwks.json',
    tag,
    summary: 'Get the public keys that verify access tokens',
    access,
    responses: {
      200: {
        description: 'The keys as a JWK set (RFC 7517)',
        body: z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) }),
      },
    },
  }),
  openapi: defineRoute({
    method: 'get',
    path: '/api/openapi.json',
    tag,
    summary: 'Get this document',
    access,
    responses: { 200: { description: 'The OpenAPI 3.1 document', body: z.looseObject({ openapi: z.string() }) } },
  }),
  metrics: defineRoute({
    method: 'get',
    path: '/metrics',
    tag,
    summary: 'Get the Prometheus metrics',
    access,
    responses: { 200: { description: 'The metrics', contentType: 'text/plain' } },
  }),
  orchestratorHealth: defineRoute({
    method: 'get',
    path: '/api/v1/health',
    tag: 'Orchestrator',
    summary: 'Check that the API of executions (the orchestrator) is alive',
    access,
    responses: {
      200: {
        description: 'The API of executions is alive',
        body: z.object({
          status: z.literal('ok'),
          version: z.string(),
          provider: z.string(),
          region: z.string().optional(),
        }),
      },
    },
  }),
  init: defineRoute({
    method: 'get',
    path: '/api/admin/init',
    tag: 'Administration',
    summary: 'Reset the passwords and roles of the service accounts',
    access: 'service:admin',
    responses: {
      200: { description: 'E-mail addresses of the accounts', body: z.object({ seeded: z.array(z.string()) }) },
    },
  }),
};
