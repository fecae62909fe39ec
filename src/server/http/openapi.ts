import type { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { errorBody, orchestratorErrorBody } from '../../contract/common.js';
import type { Route } from '../../contract/route.js';

/** Returns an Express path in the notation of OpenAPI: `/api/jobs/:id` → `/api/jobs/{id}`, `/files/*path` → `/files/{path}`. */
export const toOpenApiPath = (path: string) => path.replaceAll(/[:*](\w+)/g, '{$1}');

const errors: Record<number, string> = {
  400: 'Invalid input, with the path of each problem',
  401: 'Not authenticated',
  403: 'Authenticated, but not allowed',
  404: 'Not found, or not visible to the caller',
  409: 'In conflict with the present state',
  413: 'The body is too large',
  415: 'Unsupported encoding or character set',
  429: 'Too many attempts; Retry-After holds the seconds to wait',
  500: 'Internal error',
  503: 'The database or another dependency does not answer; try again',
};

const errorResponses = (schema: z.ZodType) =>
  Object.fromEntries(
    Object.entries(errors).map(([status, description]) => [
      status,
      { description, content: { 'application/json': { schema } } },
    ]),
  );
const apiErrors = errorResponses(errorBody);
const orchestratorErrors = errorResponses(orchestratorErrorBody);

function toOperation(route: Route): ZodOpenApiOperationObject {
  const responses = Object.fromEntries(
    Object.entries(route.responses).map(([status, { description, body, contentType }]) => {
      const type = contentType ?? (body ? 'application/json' : undefined);
      return [
        status,
        type === undefined ? { description } : { description, content: { [type]: body ? { schema: body } : {} } },
      ];
    }),
  );
  const isOpen = route.access === 'public' || route.access === 'signed-url';
  const required = route.access.includes(':') ? ` Requires \`${route.access}\`.` : '';
  return {
    operationId: toOperationId(route),
    tags: [route.tag],
    summary: route.summary,
    description: `${route.summary}.${required}`,
    security: isOpen ? [] : [{ bearer: [] }, { apiKey: [] }],
    requestParams: { ...(route.params ? { path: route.params } : {}), ...(route.query ? { query: route.query } : {}) },
    ...toRequestBody(route),
    responses: { ...(route.path.startsWith('/api/v1') ? orchestratorErrors : apiErrors), ...responses },
  };
}

/** `get /api/jobs/:id` → `getApiJobsId`. */
const toOperationId = ({ method, path }: Route) =>
  `${method}${toOpenApiPath(path).replaceAll(/[^A-Za-z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`;

function toRequestBody(route: Route): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (route.bodyContentType) {
    const schema = { type: 'string', format: 'binary' } as const;
    return { requestBody: { required: true, content: { [route.bodyContentType]: { schema } } } };
  }
  if (!route.body) return {};
  const required = !route.body.safeParse(undefined).success;
  return { requestBody: { required, content: { 'application/json': { schema: route.body } } } };
}

/** Creates the OpenAPI 3.1 document of the routes from the schemas of the contract. */
export function createOpenApi(routes: readonly Route[], version: string) {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = toOpenApiPath(route.path);
    paths[path] = { ...paths[path], [route.method]: toOperation(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'ReefGuide',
      version,
      description: 'Runs scientific jobs for reef managers.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  });
}
