import { z } from 'zod';
import { time } from './common.js';
import { defineRoute } from './route.js';

/** An image reference as `docker pull` takes it: `[registry[:port]/]name[:tag][@digest]`. */
export const imageReference = z
  .string()
  .max(255)
  .regex(
    /^([A-Za-z0-9.-]+(:\d{1,5})?\/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    'expected an image, for example ubuntu:24.04',
  )
  .meta({ example: 'ubuntu:24.04' });

export const runtimePlatforms = ['Linux/X86_64', 'Linux/ARM64'] as const;
const roleName = z.string().regex(/^[\w+=,.@-]{1,64}$/, 'expected the name of an IAM role');

const settings = {
  is_default: z.boolean().optional(),
  cpu: z.int().positive().optional().meta({ description: 'CPU units; 256 unless set' }),
  memory: z.int().positive().optional().meta({ description: 'MiB; 512 unless set' }),
  runtime_platform: z.enum(runtimePlatforms).optional(),
  task_role_name: roleName.optional(),
  task_execution_role_name: roleName.optional(),
};

export const imageRegistration = z.strictObject({ image: imageReference, ...settings });
export type ImageRegistration = z.infer<typeof imageRegistration>;

export const imageInfo = z
  .object({
    image: z.string(),
    image_id: z.string().meta({ description: 'Equal to `image`; executions refer to their image by this field' }),
    is_default: z.boolean(),
    cpu: z.int(),
    memory: z.int(),
    runtime_platform: z.string(),
    task_role_name: z.string().nullable(),
    task_execution_role_name: z.string().nullable(),
    task_definition: z.string().nullable(),
    created_by: z.string().nullable(),
    owned_by: z.array(z.string()),
    created_at: time,
    updated_at: time,
    created_by_request_id: z.string(),
    modified_by_request_id: z.string(),
  })
  .meta({ id: 'Image' });
export type ImageInfo = z.infer<typeof imageInfo>;

const message = z.object({ image: z.string(), message: z.string() });
/** The rest of the path, because a reference holds slashes: `/ghcr.io/owner/name:1` → `ghcr.io/owner/name:1`. */
const params = z.strictObject({
  path: z
    .array(z.string())
    .transform((parts) => parts.join('/'))
    .pipe(imageReference),
});
const path = '/api/v1/images/*path';
const tag = 'Orchestrator';

export const imageRoutes = {
  list: defineRoute({
    method: 'get',
    path: '/api/v1/images',
    tag,
    summary: 'List registered images',
    access: 'images:use',
    responses: { 200: { description: 'The images', body: z.object({ images: z.array(imageInfo) }) } },
  }),
  register: defineRoute({
    method: 'post',
    path: '/api/v1/images/register',
    tag,
    summary: 'Register an image, or change the settings of a registered image',
    access: 'images:write',
    body: imageRegistration,
    responses: { 201: { description: 'The image was registered', body: message } },
  }),
  get: defineRoute({
    method: 'get',
    path,
    tag,
    summary: 'Get a registered image',
    access: 'images:use',
    params,
    responses: { 200: { description: 'The image', body: imageInfo } },
  }),
  remove: defineRoute({
    method: 'delete',
    path,
    tag,
    summary: 'Remove an image; its running executions continue',
    access: 'images:write',
    params,
    responses: { 200: { description: 'The image was removed', body: message } },
  }),
};
