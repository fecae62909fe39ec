import type { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { errorBody, orchestratorErrorBody } from '../../contract/common.js';
import type { Route } from '../../contract/route.js';

/** `/api/jobs/:id` and `/api/jobs/files/*path` as OpenAPI writes them. */
export const openApiPath = (path: string) => path.replaceAll(/[:*](\w+)/g, '{$1}');

const errors: Record<number, string> = {
  400: 'Invalid input, with the path of each problem',
  401: 'Not authenticated',
  403: 'Authenticated, but not allowed',
  404: 'Not there, or not yours to know of',
  409: 'In conflict with the present state',
  413: 'Too large',
  415: 'Encoding or character set not supported',
  429: 'Too many attempts: see Retry-After',
  500: 'A fault on our side',
  503: 'The database does not answer: try again',
};

const errorResponses = (schema: z.ZodType) =>
  Object.fromEntries(
    Object.entries(errors).map(([status, description]) => [
      status,
      { description, content: { 'application/json': { schema } } },
    ]),
  );
const errorsOfApi = errorResponses(errorBody);
const errorsOfOrchestrator = errorResponses(orchestratorErrorBody);

function operation(route: Route): ZodOpenApiOperationObject {
  const responses = Object.fromEntries(
    Object.entries(route.responses).map(([status, { description, body, contentType }]) => {
      const type = contentType ?? (body ? 'application/json' : undefined);
      return [
        status,
        type === undefined ? { description } : { description, content: { [type]: body ? { schema: body } : {} } },
      ];
    }),
  );
  const open = route.access === 'public' || route.access === 'signed-url';
  const required = route.access.includes(':') ? ` Needs \`${route.access}\`.` : '';
  return {
    operationId: `${route.method}${openApiPath(route.path).replaceAll(/[^A-Za-z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    description: `${route.summary}.${required}`,
    security: open ? [] : [{ bearer: [] }, { apiKey: [] }],
    requestParams: {
      ...(route.params ? { path: route.params } : {}),
      ...(route.query ? { query: route.query } : {}),
    },
    ...requestBody(route),
    responses: { ...(route.path.startsWith('/api/v1') ? errorsOfOrchestrator : errorsOfApi), ...responses },
  };
}

function requestBody(route: Route): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (route.bodyContentType) {
    const schema = { type: 'string', format: 'binary' } as const;
    return { requestBody: { required: true, content: { [route.bodyContentType]: { schema } } } };
  }
  if (!route.body) return {};
  const required = !route.body.safeParse(undefined).success;
  return { requestBody: { required, content: { 'application/json': { schema: route.body } } } };
}

/** The OpenAPI 3.1 document of the routes, from the schemas that validate their requests. */
export function createOpenApi(routes: readonly Route[], version: string) {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = openApiPath(route.path);
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'ReefGuide',
      version,
      description: 'Scientific jobs for reef managers.',
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
