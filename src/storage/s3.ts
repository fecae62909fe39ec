import type { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type Aws, parseS3Uri } from '../aws/clients.js';
import { callAws } from '../aws/errors.js';
import { ServiceError } from '../contract/errors.js';
import type { ResultStorage, StoredFile } from './contract.js';

/** S3 signs for a week at most. */
const longestUrlSeconds = 7 * 24 * 3600;

type ObjectCommand = GetObjectCommand | PutObjectCommand;

/** Results in a bucket; workers upload with their own credentials or presigned URLs, users download through the latter. */
export function createS3Storage(aws: Pick<Aws, 's3'>, bucketName: string, now: () => number = Date.now): ResultStorage {
  const presigned = async (
    location: string,
    relativePath: string,
    expiresIn: number,
    commandOf: (object: { Bucket: string; Key: string }) => ObjectCommand,
  ) => {
    const { bucket, key } = parseS3Uri(location);
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
    const command = commandOf({ Bucket: bucket, Key: `${key.replace(/\/$/, '')}/${relativePath}` });
    const action = command.constructor.name.replace(/Command$/, '');
    const sign = async () => getSignedUrl(await aws.s3(), command, { expiresIn });
    return callAws({ action: `s3:${action}`, resource: `bucket ${bucket}` }, sign).catch(outOfReach);
  };
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
      const { GetObjectCommand } = await import('@aws-sdk/client-s3');
      return presigned(location, relativePath, expirySeconds, (object) => new GetObjectCommand(object));
    },
    async uploadUrl(location, relativePath, expiresAt) {
      const { PutObjectCommand } = await import('@aws-sdk/client-s3');
      const seconds = Math.min(longestUrlSeconds, Math.max(1, Math.floor((expiresAt.getTime() - now()) / 1000)));
      return presigned(location, relativePath, seconds, (object) => new PutObjectCommand(object));
    },
    uploadUrlPrefix: () => undefined,
  };
}

/** The user learns that it is not his fault; the reason and the remedy, which name the deployment, are in the log. */
function outOfReach(cause: unknown): never {
  throw new ServiceError('unavailable', 'The stored files are out of reach at the moment. Try again later.', { cause });
}
