import type { z } from 'zod';

/** A permission, `resource:action`. `accounts/permissions.ts` lists the permissions of each role. */
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

/** Required access: none, any account, a signed URL, or an account with a permission. */
export type Access = 'public' | 'user' | 'signed-url' | Permission;

export interface RouteResponse {
  description: string;
  body?: z.ZodType;
  contentType?: string;
}

/** A route of the API. Validation, types and the OpenAPI document derive from the description. */
export interface Route<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
> {
  method: 'get' | 'post' | 'put' | 'delete';
  /** Express path, for example `/api/jobs/:id`; `*name` takes the rest of the path. */
  path: string;
  tag: string;
  /** Imperative, without a full stop, for example `Get a job`. */
  summary: string;
  access: Access;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Content type of the request body; JSON unless set. */
  bodyContentType?: string;
  responses: Record<number, RouteResponse>;
}

/** Returns `route` unchanged, with the types of the schemas for the handler. */
export function defineRoute<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType<unknown>,
>(route: Route<Params, Query, Body>): Route<Params, Query, Body> {
  return route;
}
