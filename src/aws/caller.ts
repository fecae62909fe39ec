import type { Aws } from './clients.js';
import { AwsError, callAws } from './errors.js';

export type AwsCaller = <T>(action: string, resource: string, call: () => Promise<T>) => Promise<T>;

/**
 * Returns a function to call AWS, with errors as AwsErrors. After an error of credentials the next call reads the
 * credentials again, so renewed credentials need no restart.
 */
export function awsCaller(aws: Pick<Aws, 'reset'>): AwsCaller {
  return async (action, resource, call) => {
    try {
      return await callAws({ action, resource }, call);
    } catch (error) {
      if (error instanceof AwsError && (error.kind === 'expired' || error.kind === 'no_credentials')) await aws.reset();
      throw error;
    }
  };
}
