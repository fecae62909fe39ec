import { type Aws, parseS3Uri } from '../config/aws.js';
import { callAws } from '../config/aws-errors.js';
import { ServiceError } from '../contract/errors.js';
import type { ResultStorage, StoredFile } from './contract.js';

/** Results in a bucket; workers upload with their own credentials, users download through presigned URLs. */
export function createS3Storage(aws: Pick<Aws, 's3'>, bucketName: string): ResultStorage {
  return {
    scheme: 'S3',
    baseUri: `s3://${bucketName}/jobs`,
    async list(location) {
      const { bucket, key } = parseS3Uri(location);
      const prefix = `${key.replace(/\/$/, '')}/`;
      const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
      const files: StoredFile[] = [];
      const readPages = async () => {
        const pages = paginateListObjectsV2({ client: await aws.s3() }, { Bucket: bucket, Prefix: prefix });
        for await (const { Contents = [] } of pages) {
          for (const { Key, Size } of Contents) {
            if (Key && Key !== prefix) files.push({ relativePath: Key.slice(prefix.length), bytes: Size ?? 0 });
          }
        }
      };
      await callAws({ action: 's3:ListBucket', resource: `bucket ${bucket}` }, readPages).catch(outOfReach);
      return files;
    },
    async downloadUrl(location, relativePath, expirySeconds) {
      const { bucket, key } = parseS3Uri(location);
      const [{ GetObjectCommand }, { getSignedUrl }] = await Promise.all([
        import('@aws-sdk/client-s3'),
        import('@aws-sdk/s3-request-presigner'),
      ]);
      const command = new GetObjectCommand({ Bucket: bucket, Key: `${key.replace(/\/$/, '')}/${relativePath}` });
      const sign = async () => getSignedUrl(await aws.s3(), command, { expiresIn: expirySeconds });
      return callAws({ action: 's3:GetObject', resource: `bucket ${bucket}` }, sign).catch(outOfReach);
    },
    uploadUrlPrefix: () => undefined,
  };
}

/** The user learns that it is not his fault; the reason and the remedy, which name the deployment, are in the log. */
function outOfReach(cause: unknown): never {
  throw new ServiceError('unavailable', 'The stored files are out of reach at the moment. Try again later.', { cause });
}
