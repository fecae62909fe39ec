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
    summary: 'Name and version',
    access,
    responses: { 200: { description: 'The service', body: z.object({ name: z.string(), version: z.string() }) } },
  }),
  health: defineRoute({
    method: 'get',
    path: '/api/health',
    tag,
    summary: 'The process answers',
    access,
    responses: { 200: { description: 'Alive', body: ok } },
  }),
  ready: defineRoute({
    method: 'get',
    path: '/api/ready',
    tag,
    summary: 'The database answers and migrations are in',
    access,
    responses: { 200: { description: 'Ready', body: ok } },
  }),
  jwks: defineRoute({
    method: 'get',
    path: '/api/.well-known/jwks.json',
    tag,
    summary: 'The public keys that verify our tokens',
    access,
    responses: {
      200: {
        description: 'JWK set',
        body: z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) }),
      },
    },
  }),
  openapi: defineRoute({
    method: 'get',
    path: '/api/openapi.json',
    tag,
    summary: 'This document',
    access,
    responses: { 200: { description: 'OpenAPI 3.1', body: z.looseObject({ openapi: z.string() }) } },
  }),
  metrics: defineRoute({
    method: 'get',
    path: '/metrics',
    tag,
    summary: 'Prometheus metrics',
    access,
    responses: { 200: { description: 'Metrics', contentType: 'text/plain' } },
  }),
  orchestratorHealth: defineRoute({
    method: 'get',
    path: '/api/v1/health',
    tag: 'Orchestrator',
    summary: 'The orchestrator answers',
    access,
    responses: {
      200: {
        description: 'Alive',
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
    summary: 'Seed the service accounts again',
    access: 'service:admin',
    responses: { 200: { description: 'Seeded', body: z.object({ seeded: z.array(z.string()) }) } },
  }),
};
