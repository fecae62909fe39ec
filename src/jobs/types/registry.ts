import { type Issue, ServiceError } from '../../contract/errors.js';
import type { JobTypeInfo } from '../../contract/jobs.js';

export type Checked = { ok: true; value: unknown } | { ok: false; issues: Issue[] };

export interface JobType extends JobTypeInfo {
  /** Checks a request's payload and fills in defaults. Paths of issues begin at the payload, for example `x_dist`. */
  checkInput(payload: unknown): Checked;
  checkResult(resultPayload: unknown): Checked;
}

/** Time limit of an attempt, for types without a limit and for jobs of types no longer declared. */
export const defaultExpiryMinutes = 60;
/** Attempts before a job ends, for types without a number of attempts. */
export const defaultMaxAttempts = 3;

export class JobTypeRegistry {
  readonly names: readonly string[];
  private readonly byName: ReadonlyMap<string, JobType>;

  constructor(readonly all: readonly JobType[]) {
    this.byName = new Map(all.map((type) => [type.name, type]));
    this.names = [...this.byName.keys()];
  }

  get(name: string): JobType | undefined {
    return this.byName.get(name);
  }

  /** Returns the type. Throws an `invalid` error with an issue at `path` and a list of the declared types. */
  require(name: string, path: string): JobType {
    const type = this.get(name);
    if (type) return type;
    throw invalidPayload([{ path: '', message: `unknown job type: expected one of ${this.names.join(', ')}` }], path);
  }

  describe(): JobTypeInfo[] {
    return this.all.map(({ checkInput: _, checkResult: __, ...info }) => info);
  }
}

/** Returns an `invalid` error with the issues below `path`: `x_dist` below `inputPayload` → `inputPayload.x_dist`. */
export const invalidPayload = (issues: readonly Issue[], path: string): ServiceError =>
  new ServiceError('invalid', 'Invalid request', {
    issues: issues.map((issue) => ({ ...issue, path: [path, issue.path].filter(Boolean).join('.') })),
  });
