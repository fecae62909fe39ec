import { createS3Client, parseS3Uri } from '../config/aws.js';
import type { ResultStorage, StoredFile } from './contract.js';

export interface S3Options {
  bucket: string;
  region: string;
  /** Of a server that speaks S3, when it is not AWS. */
  endpoint?: string | undefined;
}

/** Results in a bucket; workers upload with their own credentials, users download through presigned URLs. */
export function createS3Storage(options: S3Options): ResultStorage {
  let client: ReturnType<typeof createS3Client> | undefined;
  const connected = () => {
    client ??= createS3Client(options);
    return client;
  };
  return {
    scheme: 'S3',
    baseUri: `s3://${options.bucket}/jobs`,
    async list(location) {
      const { bucket, key } = parseS3Uri(location);
      const prefix = `${key.replace(/\/$/, '')}/`;
      const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
      const files: StoredFile[] = [];
      for await (const page of paginateListObjectsV2(
        { client: await connected() },
        { Bucket: bucket, Prefix: prefix },
      )) {
        for (const { Key, Size } of page.Contents ?? []) {
          if (Key && Key !== prefix) files.push({ relativePath: Key.slice(prefix.length), bytes: Size ?? 0 });
        }
      }
      return files;
    },
    async downloadUrl(location, relativePath, expirySeconds) {
      const { bucket, key } = parseS3Uri(location);
      const [{ GetObjectCommand }, { getSignedUrl }] = await Promise.all([
        import('@aws-sdk/client-s3'),
        import('@aws-sdk/s3-request-presigner'),
      ]);
      const command = new GetObjectCommand({ Bucket: bucket, Key: `${key.replace(/\/$/, '')}/${relativePath}` });
      return getSignedUrl(await connected(), command, { expiresIn: expirySeconds });
    },
    uploadUrlPrefix: () => undefined,
  };
}
