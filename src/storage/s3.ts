import type { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type Aws, parseS3Uri } from '../aws/clients.js';
import { callAws } from '../aws/errors.js';
import { ServiceError } from '../contract/errors.js';
import type { ResultStorage, StoredFile } from './contract.js';

/** S3 signs URLs for a week at most. */
const maxUrlSeconds = 7 * 24 * 3600;

/** Stores results in a bucket. Workers upload with their own credentials or by presigned URLs; users download by presigned URLs. */
export class S3Storage implements ResultStorage {
  readonly scheme = 'S3';
  readonly baseUri: string;

  constructor(
    private readonly aws: Pick<Aws, 's3'>,
    bucketName: string,
    private readonly now: () => number = Date.now,
  ) {
    this.baseUri = `s3://${bucketName}/jobs`;
  }

  async list(location: string): Promise<StoredFile[]> {
    const { bucket, prefix } = parseLocation(location);
    const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
    const files: StoredFile[] = [];
    const readPages = async () => {
      const pages = paginateListObjectsV2({ client: await this.aws.s3() }, { Bucket: bucket, Prefix: prefix });
      for await (const { Contents = [] } of pages) {
        for (const { Key, Size } of Contents) {
          if (Key && Key !== prefix) files.push({ relativePath: Key.slice(prefix.length), bytes: Size ?? 0 });
        }
      }
    };
    await callAws({ action: 's3:ListBucket', resource: `bucket ${bucket}` }, readPages).catch(throwUnavailable);
    return files;
  }

  async downloadUrl(location: string, relativePath: string, expirySeconds: number): Promise<string> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    return this.presign(location, relativePath, expirySeconds, (object) => new GetObjectCommand(object));
  }

  async uploadUrl(location: string, relativePath: string, expiresAt: Date): Promise<string> {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const seconds = Math.min(maxUrlSeconds, Math.max(1, Math.floor((expiresAt.getTime() - this.now()) / 1000)));
    return this.presign(location, relativePath, seconds, (object) => new PutObjectCommand(object));
  }

  private async presign(
    location: string,
    relativePath: string,
    expiresIn: number,
    toCommand: (object: { Bucket: string; Key: string }) => GetObjectCommand | PutObjectCommand,
  ): Promise<string> {
    const { bucket, prefix } = parseLocation(location);
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
    const command = toCommand({ Bucket: bucket, Key: `${prefix}${relativePath}` });
    const action = command.constructor.name.replace(/Command$/, '');
    const sign = async () => getSignedUrl(await this.aws.s3(), command, { expiresIn });
    return callAws({ action: `s3:${action}`, resource: `bucket ${bucket}` }, sign).catch(throwUnavailable);
  }
}

/** Splits `s3://results/jobs/TEST/7/9` into the bucket `results` and the prefix `jobs/TEST/7/9/` of its files. */
function parseLocation(location: string): { bucket: string; prefix: string } {
  const { bucket, key } = parseS3Uri(location);
  return { bucket, prefix: `${key.replace(/\/$/, '')}/` };
}

/** Hides reason and remedy from the user, because both name the deployment; the log has them. */
function throwUnavailable(cause: unknown): never {
  const message = 'The stored files cannot be reached at the moment. Try again later.';
  throw new ServiceError('unavailable', message, { cause });
}
