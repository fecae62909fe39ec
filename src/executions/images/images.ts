import { type Caller, can } from '../../accounts/caller.js';
import { findFargateProblem } from '../../aws/fargate-sizes.js';
import { forbidden, notFound, orUnavailable, ServiceError } from '../../contract/errors.js';
import type { ImageInfo, ImageRegistration } from '../../contract/images.js';
import type { Database } from '../../database/database.js';
import type { CommandImage } from '../runners/runner.js';
import type { ExecutionDependencies } from '../runs/transitions.js';

export type ImageDependencies = Pick<ExecutionDependencies, 'database' | 'runner'>;
type Settings = CommandImage & Pick<ImageInfo, 'is_default'>;

/** Smallest task of Fargate. */
const defaultSize = { cpu: 256, memory: 512, runtime_platform: 'Linux/X86_64' };

const columns = `i.image, i.image AS image_id, i.is_default, i.cpu, i.memory, i.runtime_platform, i.task_role_name,
  i.task_execution_role_name, i.task_definition, c.email AS created_by, i.created_at, i.updated_at, i.created_by_request_id,
  i.modified_by_request_id,
  COALESCE((SELECT json_agg(u.email ORDER BY u.id) FROM "User" u WHERE u.id = ANY (i.owned_by)), '[]'::json) AS owned_by`;
const fromImages = 'FROM "Image" i LEFT JOIN "User" c ON c.id = i.created_by';

export function listImages(database: Database): Promise<ImageInfo[]> {
  const listSql = `SELECT ${columns} ${fromImages} ORDER BY i.is_default DESC, i.image`;
  return database.rows<ImageInfo>('images', listSql, []);
}

/** Returns the images created or changed by a request. */
export function listImagesOfRequest(database: Database, requestId: string): Promise<ImageInfo[]> {
  const byRequestSql = `SELECT ${columns} ${fromImages}
    WHERE i.created_by_request_id = $1 OR i.modified_by_request_id = $1 ORDER BY i.image`;
  return database.rows<ImageInfo>('image-request', byRequestSql, [requestId]);
}

export async function findImage(database: Database, image: string): Promise<ImageInfo | undefined> {
  const findSql = `SELECT ${columns} ${fromImages} WHERE i.image = $1`;
  return (await database.rows<ImageInfo>('image-find', findSql, [image]))[0];
}

/** Returns an image, or throws `not_found`. */
export async function getImage(database: Database, image: string): Promise<ImageInfo> {
  const info = await findImage(database, image);
  if (!info) throw notFound(`Image ${image}`);
  return info;
}

/** Registers or changes an image, and defines the tasks of the image. Omitted fields keep the present values. */
export async function registerImage(deps: ImageDependencies, registration: ImageRegistration, caller?: Caller) {
  const { database, runner } = deps;
  const settings = toSettings(registration, await findImage(database, registration.image));
  const problem = findFargateProblem(settings.cpu, settings.memory);
  if (problem) throw invalidField(problem.field, problem.message);
  const taskDefinition = await orUnavailable(async () => runner?.define(settings));
  await saveImage(database, settings, taskDefinition, caller);
  return getImage(database, settings.image);
}

function toSettings(registration: ImageRegistration, current: ImageInfo | undefined): Settings {
  return {
    image: registration.image,
    is_default: registration.is_default ?? current?.is_default ?? false,
    cpu: registration.cpu ?? current?.cpu ?? defaultSize.cpu,
    memory: registration.memory ?? current?.memory ?? defaultSize.memory,
    runtime_platform: registration.runtime_platform ?? current?.runtime_platform ?? defaultSize.runtime_platform,
    task_role_name: registration.task_role_name ?? current?.task_role_name ?? null,
    task_execution_role_name: registration.task_execution_role_name ?? current?.task_execution_role_name ?? null,
  };
}

/** Advisory lock for changes of the default image. */
const defaultLock = 7_270_736_904;
const clearDefaultSql = 'UPDATE "Image" SET is_default = false WHERE is_default AND image <> $1';
const saveSql = `
INSERT INTO "Image" (image, is_default, cpu, memory, runtime_platform, task_role_name, task_execution_role_name,
  task_definition, created_by, owned_by, created_by_request_id, modified_by_request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $9::int IS NULL THEN '{}' ELSE ARRAY[$9::int] END, $10, $10)
ON CONFLICT (image) DO UPDATE SET is_default = excluded.is_default, cpu = excluded.cpu, memory = excluded.memory,
  runtime_platform = excluded.runtime_platform, task_role_name = excluded.task_role_name,
  task_execution_role_name = excluded.task_execution_role_name, task_definition = excluded.task_definition,
  updated_at = now(), modified_by_request_id = excluded.modified_by_request_id`;

/** Ensures: no two images are the default, because registrations of a default take turns. */
async function saveImage(
  database: Database,
  settings: Settings,
  taskDefinition: string | undefined,
  caller: Caller | undefined,
): Promise<void> {
  await database.transaction(async (client) => {
    if (settings.is_default) {
      await client.query('SELECT pg_advisory_xact_lock($1)', [defaultLock]);
      await client.query(clearDefaultSql, [settings.image]);
    }
    const { image, is_default, cpu, memory, runtime_platform, task_role_name, task_execution_role_name } = settings;
    const values = [image, is_default, cpu, memory, runtime_platform, task_role_name, task_execution_role_name];
    const { userId = null, requestId = '' } = caller ?? {};
    await client.query(saveSql, [...values, taskDefinition ?? null, userId, requestId]);
  });
}

/** Removes an image with the task definition, or throws `not_found`. */
export async function removeImage({ database, runner }: ImageDependencies, image: string): Promise<void> {
  const removeSql = 'DELETE FROM "Image" WHERE image = $1 RETURNING task_definition';
  const [removed] = await database.rows<{ task_definition: string | null }>('image-remove', removeSql, [image]);
  if (!removed) throw notFound(`Image ${image}`);
  const { task_definition: taskDefinition } = removed;
  if (taskDefinition !== null) await orUnavailable(async () => runner?.undefine(taskDefinition));
}

/** Returns an image, or the default. Registers an unknown image; throws `forbidden` without `images:write`. */
export async function resolveImage(deps: ImageDependencies, image: string | undefined, caller: Caller) {
  if (image === undefined) {
    const defaultSql = `SELECT ${columns} ${fromImages} WHERE i.is_default`;
    const [defaultImage] = await deps.database.rows<ImageInfo>('image-default', defaultSql, []);
    if (defaultImage) return defaultImage;
    throw invalidField('image', 'is required, because no default image is registered (images register … --default)');
  }
  const info = await findImage(deps.database, image);
  if (info) return info;
  if (!can(caller, 'images:write'))
    throw forbidden(`Image ${image} is not registered; ask an operator: reefguide images register ${image}`);
  return registerImage(deps, { image }, caller);
}

/** Registers the default image of a new deployment. Changes nothing where an image is registered. */
export async function seedDefaultImage(deps: ImageDependencies, registration: ImageRegistration): Promise<void> {
  const [image] = await deps.database.rows('image-any', 'SELECT 1 FROM "Image" LIMIT 1', []);
  if (!image) await registerImage(deps, { ...registration, is_default: true });
}

/** Returns the error of a field with an invalid value. */
export const invalidField = (path: string, message: string) =>
  new ServiceError('invalid', 'Invalid request', { issues: [{ path, message }] });
