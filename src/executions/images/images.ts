import { type Caller, can } from '../../accounts/caller.js';
import { fargateProblem } from '../../aws/fargate-sizes.js';
import { forbidden, notFound, orUnavailable, ServiceError } from '../../contract/errors.js';
import type { ImageInfo, ImageRegistration } from '../../contract/images.js';
import type { Database } from '../../database/database.js';
import type { CommandImage, CommandRunner } from '../runners/runner.js';

/** The smallest task of Fargate. */
const smallest = { cpu: 256, memory: 512, runtime_platform: 'Linux/X86_64' };

const columns = `i.image, i.image AS image_id, i.is_default, i.cpu, i.memory, i.runtime_platform, i.task_role_name,
  i.task_execution_role_name, i.task_definition, c.email AS created_by, i.created_at, i.updated_at, i.created_by_request_id,
  i.modified_by_request_id,
  COALESCE((SELECT json_agg(u.email ORDER BY u.id) FROM "User" u WHERE u.id = ANY (i.owned_by)), '[]'::json) AS owned_by`;
const from = 'FROM "Image" i LEFT JOIN "User" c ON c.id = i.created_by';

/** Guarantee: at most one image is the default; of two who make theirs the default at once, one waits for the other. */
const undefaultText = 'UPDATE "Image" SET is_default = false WHERE is_default AND image <> $1';
const registerText = `
INSERT INTO "Image" (image, is_default, cpu, memory, runtime_platform, task_role_name, task_execution_role_name,
  task_definition, created_by, owned_by, created_by_request_id, modified_by_request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $9::int IS NULL THEN '{}' ELSE ARRAY[$9::int] END, $10, $10)
ON CONFLICT (image) DO UPDATE SET is_default = excluded.is_default, cpu = excluded.cpu, memory = excluded.memory,
  runtime_platform = excluded.runtime_platform, task_role_name = excluded.task_role_name,
  task_execution_role_name = excluded.task_execution_role_name, task_definition = excluded.task_definition,
  updated_at = now(), modified_by_request_id = excluded.modified_by_request_id`;

/** Held while the default image changes. */
const defaultLock = 7_270_736_904;

type Settings = Pick<
  ImageInfo,
  'image' | 'cpu' | 'memory' | 'runtime_platform' | 'task_role_name' | 'task_execution_role_name'
>;

export const commandImage = (info: Settings): CommandImage => ({
  image: info.image,
  cpu: info.cpu,
  memory: info.memory,
  runtimePlatform: info.runtime_platform,
  taskRoleName: info.task_role_name ?? undefined,
  taskExecutionRoleName: info.task_execution_role_name ?? undefined,
});

/** The images that commands run in. `runner` undefined: this server runs none, and defines no tasks. */
export function createImages(database: Database, runner: CommandRunner | undefined) {
  const find = async (image: string): Promise<ImageInfo | undefined> => {
    const [row] = await database.rows<ImageInfo>('image-find', `SELECT ${columns} ${from} WHERE i.image = $1`, [image]);
    return row;
  };
  const findDefault = async (): Promise<ImageInfo | undefined> => {
    const [row] = await database.rows<ImageInfo>('image-default', `SELECT ${columns} ${from} WHERE i.is_default`, []);
    return row;
  };
  /** What is not said stays as it was. */
  const register = async (given: ImageRegistration, caller: Caller | undefined): Promise<ImageInfo> => {
    const before = await find(given.image);
    const settings = {
      is_default: given.is_default ?? before?.is_default ?? false,
      cpu: given.cpu ?? before?.cpu ?? smallest.cpu,
      memory: given.memory ?? before?.memory ?? smallest.memory,
      runtime_platform: given.runtime_platform ?? before?.runtime_platform ?? smallest.runtime_platform,
      task_role_name: given.task_role_name ?? before?.task_role_name ?? null,
      task_execution_role_name: given.task_execution_role_name ?? before?.task_execution_role_name ?? null,
    };
    const problem = fargateProblem(settings.cpu, settings.memory);
    if (problem)
      throw new ServiceError('invalid', 'Invalid request', {
        issues: [{ path: problem.field, message: problem.message }],
      });
    const definition = await orUnavailable(async () =>
      runner?.define(commandImage({ image: given.image, ...settings })),
    );
    await database.transaction(async (client) => {
      if (settings.is_default) {
        await client.query('SELECT pg_advisory_xact_lock($1)', [defaultLock]);
        await client.query(undefaultText, [given.image]);
      }
      await client.query(registerText, [
        given.image,
        settings.is_default,
        settings.cpu,
        settings.memory,
        settings.runtime_platform,
        settings.task_role_name,
        settings.task_execution_role_name,
        definition ?? null,
        caller?.userId ?? null,
        caller?.requestId ?? '',
      ]);
    });
    const registered = await find(given.image);
    if (!registered) throw notFound(`Image ${given.image}`);
    return registered;
  };

  return {
    list: () => database.rows<ImageInfo>('images', `SELECT ${columns} ${from} ORDER BY i.is_default DESC, i.image`, []),
    register,
    /** Those that a request made or changed. */
    ofRequest: (requestId: string) =>
      database.rows<ImageInfo>(
        'image-request',
        `SELECT ${columns} ${from} WHERE i.created_by_request_id = $1 OR i.modified_by_request_id = $1 ORDER BY i.image`,
        [requestId],
      ),
    async get(image: string): Promise<ImageInfo> {
      const found = await find(image);
      if (!found) throw notFound(`Image ${image}`);
      return found;
    },
    async remove(image: string): Promise<void> {
      const [gone] = await database.rows<{ task_definition: string | null }>(
        'image-remove',
        'DELETE FROM "Image" WHERE image = $1 RETURNING task_definition',
        [image],
      );
      if (!gone) throw notFound(`Image ${image}`);
      const definition = gone.task_definition;
      if (definition !== null) await orUnavailable(async () => runner?.undefine(definition));
    },
    /** The image that a command asks for, or the default one. One that is not registered is, for who may register. */
    async forUse(image: string | undefined, caller: Caller): Promise<ImageInfo> {
      if (image === undefined) {
        const standard = await findDefault();
        if (standard) return standard;
        throw new ServiceError('invalid', 'Invalid request', {
          issues: [
            { path: 'image', message: 'is needed: none is registered as the default (images register … --default)' },
          ],
        });
      }
      const found = await find(image);
      if (found) return found;
      if (!can(caller, 'images:write'))
        throw forbidden(`Image ${image} is not registered; ask an operator: reefguide images register ${image}`);
      return register({ image }, caller);
    },
    /** Registers the default image of a new deployment; leaves one alone that has images. */
    async seed(given: ImageRegistration): Promise<void> {
      const [there] = await database.rows('image-any', 'SELECT 1 FROM "Image" LIMIT 1', []);
      if (!there) await register({ ...given, is_default: true }, undefined);
    },
    /** Makes a task definition again that has gone. */
    async redefine(info: ImageInfo): Promise<void> {
      await register({ image: info.image }, undefined);
    },
  };
}
export type Images = ReturnType<typeof createImages>;
