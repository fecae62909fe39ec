import { createAws } from '../aws/clients.js';
import { ServiceError } from '../contract/errors.js';
import type { ServerEnvironment } from '../environment/server.js';
import type { Storages } from './contract.js';
import { createLocalStorage, type LocalStorage } from './local.js';
import { createS3Storage } from './s3.js';
import type { UrlSigner } from './signed-url.js';

/** S3 when a bucket is named, otherwise files below `folder`; results of the other scheme stay readable where possible. */
export function createStorages(
  environment: Pick<ServerEnvironment, 'S3_BUCKET_NAME' | 'S3_ENDPOINT' | 'AWS_REGION'>,
  folder: string,
  signer: UrlSigner,
): { storages: Storages; local: LocalStorage } {
  const local = createLocalStorage(folder, signer);
  const s3 = environment.S3_BUCKET_NAME
    ? createS3Storage(
        createAws({ region: environment.AWS_REGION, s3Endpoint: environment.S3_ENDPOINT }),
        environment.S3_BUCKET_NAME,
      )
    : undefined;
  const storages: Storages = {
    current: s3 ?? local,
    of(scheme) {
      if (scheme === 'LOCAL') return local;
      if (s3) return s3;
      throw new ServiceError('unavailable', 'This result is in S3, which this server is not set up for');
    },
  };
  return { storages, local };
}
