import type { Aws } from './clients.js';
import { AwsError, callAws } from './errors.js';

export type AwsCaller = <T>(action: string, resource: string, make: () => Promise<T>) => Promise<T>;

/**
 * Makes calls of AWS; whatever one throws becomes an AwsError. Credentials that ended are read anew by the next call, so
 * that renewed ones need no restart.
 */
export function awsCaller(aws: Pick<Aws, 'reset'>): AwsCaller {
  return async (action, resource, make) => {
    try {
      return await callAws({ action, resource }, make);
    } catch (error) {
      if (error instanceof AwsError && (error.kind === 'expired' || error.kind === 'no_credentials')) await aws.reset();
      throw error;
    }
  };
}
