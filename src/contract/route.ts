import type { z } from 'zod';

/** `resource:action`. Which role holds which stands in `auth/permissions.ts`. */
export type Permission =
  | 'users:admin'
  | 'users:read'
  | 'service:admin'
  | 'secrets:use'
  | 'secrets:read'
  | 'secrets:write'
  | 'executions:run'
  | 'executions:list'
  | 'executions:own'
  | 'executions:any'
  | 'images:use'
  | 'images:write'
  | 'health:reconcile'
  | 'trace:read'
  | 'content:own'
  | 'jobs:create'
  | 'jobs:read'
  | 'jobs:read-all'
  | 'jobs:poll'
  | 'jobs:work'
  | 'jobs:demand'
  | 'jobs:invalidate'
  | 'capacity:manage';

/** Who may call: anybody, any account, an account with a permission, or whoever holds a signed URL. */
export type Access = 'public' | 'user' | 'signed-url' | Permission;

export interface RouteResponse {
  description: string;
  body?: z.ZodType;
  contentType?: string;
}

/** One route: from this come validation, types and the OpenAPI document. */
export interface Route<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
> {
  method: 'get' | 'post' | 'put' | 'delete';
  /** Express path; `:name` segments become OpenAPI parameters, `*name` takes the rest of the path. */
  path: string;
  tag: string;
  summary: string;
  access: Access;
  params?: Params;
  query?: Query;
  body?: Body;
  /** The request's content type when it is not JSON. */
  bodyContentType?: string;
  responses: Record<number, RouteResponse>;
}

export function defineRoute<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType<unknown>,
>(route: Route<Params, Query, Body>): Route<Params, Query, Body> {
  return route;
}
