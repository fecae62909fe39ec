import { createAws } from '../aws/clients.js';
import { ServiceError } from '../contract/errors.js';
import type { ServerEnvironment } from '../environment/server.js';
import type { Storages } from './contract.js';
import { LocalStorage } from './local.js';
import { S3Storage } from './s3.js';
import type { UrlSigner } from './signed-url.js';

/** Writes to S3 when a bucket is named, otherwise below `directory`. Results of the other scheme stay readable where possible. */
export function createStorages(
  environment: Pick<ServerEnvironment, 'S3_BUCKET_NAME' | 'S3_ENDPOINT' | 'AWS_REGION'>,
  directory: string,
  signer: UrlSigner,
): { storages: Storages; local: LocalStorage } {
  const local = new LocalStorage(directory, signer);
  const { S3_BUCKET_NAME: bucket, S3_ENDPOINT: s3Endpoint, AWS_REGION: region } = environment;
  const s3 = bucket ? new S3Storage(createAws({ region, s3Endpoint }), bucket) : undefined;
  const storages: Storages = {
    current: s3 ?? local,
    of(scheme) {
      if (scheme === 'LOCAL') return local;
      if (s3) return s3;
      throw new ServiceError('unavailable', 'This result is in S3, and S3_BUCKET_NAME is not set on this server');
    },
  };
  return { storages, local };
}
