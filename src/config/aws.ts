import { SetupError } from '../contract/errors.js';

/** Bucket and key of `s3://bucket/key…`. */
export function parseS3Uri(uri: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri);
  if (!match?.[1]) throw new SetupError(`Not an S3 location: ${uri}`);
  return { bucket: match[1], key: match[2] ?? '' };
}

/** Loaded on first use: the SDK costs a tenth of a second and 30 MB. */
export async function createS3Client({ region, endpoint }: { region: string; endpoint?: string | undefined }) {
  const { S3Client } = await import('@aws-sdk/client-s3');
  return new S3Client({ region, ...(endpoint ? { endpoint, forcePathStyle: true } : {}) });
}
