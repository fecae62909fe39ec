import { type Issue, ServiceError } from '../../contract/errors.js';
import type { JobTypeInfo } from '../../contract/jobs.js';

export type Checked = { ok: true; value: unknown } | { ok: false; issues: Issue[] };

/** A kind of job, declared in one place. */
export interface JobType {
  name: string;
  /** How long one attempt may take. */
  expiryMinutes: number;
  /** How many workers may try before the job ends. */
  maxAttempts: number;
  inputSchema: unknown;
  resultSchema: unknown;
  /** Checks and normalises (fills in defaults); issues are relative to the payload. */
  checkInput(payload: unknown): Checked;
  checkResult(payload: unknown): Checked;
}

export interface JobTypeRegistry {
  readonly names: readonly string[];
  get(name: string): JobType | undefined;
  /** The type, or an `invalid` error at `path` that lists the types there are. */
  require(name: string, path: string): JobType;
  describe(): JobTypeInfo[];
}

/** Expiry of jobs whose type is no longer declared. */
export const defaultExpiryMinutes = 60;

export function createRegistry(types: readonly JobType[]): JobTypeRegistry {
  const byName = new Map(types.map((type) => [type.name, type]));
  const names = [...byName.keys()];
  return {
    names,
    get: (name) => byName.get(name),
    require(name, path) {
      const type = byName.get(name);
      if (type) return type;
      const message = `unknown job type; there are ${names.join(', ')}`;
      throw new ServiceError('invalid', 'Invalid request', { issues: [{ path, message }] });
    },
    describe: () =>
      types.map(({ name, inputSchema, resultSchema, expiryMinutes, maxAttempts }) => ({
        name,
        inputSchema,
        resultSchema,
        expiryMinutes,
        maxAttempts,
      })),
  };
}
