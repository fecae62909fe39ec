import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Api } from '../client/api.js';
import type { WorkerAssignment } from '../contract/jobs.js';
import { urlPath } from '../contract/paths.js';
import type { ListedFile } from '../platform/files.js';

/** Uploads the files: to S3 where the worker has AWS credentials, otherwise to URLs that the API signs. */
export async function uploadOutput(
  api: Pick<Api, 'uploadUrls'>,
  assignment: WorkerAssignment,
  files: readonly ListedFile[],
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) return;
  const { upload_url_prefix: prefix } = assignment;
  const put =
    prefix === undefined
      ? ((await s3Put(assignment.storage_uri)) ?? httpPut((file) => requestUrl(api, assignment.id, file)))
      : httpPut(async (file) => `${prefix}${urlPath(file)}`);
  for (const file of files) {
    signal.throwIfAborted();
    await put(file, signal);
  }
}

type Put = (file: ListedFile, signal: AbortSignal) => Promise<void>;

async function requestUrl(api: Pick<Api, 'uploadUrls'>, assignmentId: number, file: string): Promise<string> {
  const url = (await api.uploadUrls(assignmentId, [file])).urls[file];
  if (url === undefined) throw new Error(`the API gave no URL for ${file}`);
  return url;
}

const httpPut =
  (getUrl: (relativePath: string) => Promise<string>): Put =>
  async (file, signal) => {
    const response = await fetch(await getUrl(file.relativePath), {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(file.bytes) },
      body: Readable.toWeb(createReadStream(file.path)),
      duplex: 'half',
      signal,
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`upload of ${file.relativePath} was answered ${response.status}`);
  };

/** Returns the upload to S3, or undefined without AWS credentials. */
async function s3Put(location: string): Promise<Put | undefined> {
  const { createAws, parseS3Uri } = await import('../aws/clients.js');
  const { callAws } = await import('../aws/errors.js');
  const { Upload } = await import('@aws-sdk/lib-storage');
  const { bucket, key } = parseS3Uri(location);
  const aws = createAws({ region: process.env.AWS_REGION ?? 'ap-southeast-2', s3Endpoint: process.env.S3_ENDPOINT });
  const client = await aws.s3();
  if (!(await client.config.credentials().catch(() => undefined))) return undefined;
  return async (file, signal) => {
    const Key = `${key.replace(/\/$/, '')}/${file.relativePath}`;
    const upload = new Upload({ client, params: { Bucket: bucket, Key, Body: createReadStream(file.path) } });
    const abort = () => void upload.abort();
    signal.addEventListener('abort', abort);
    try {
      await callAws({ action: 's3:PutObject', resource: `bucket ${bucket}` }, () => upload.done());
    } finally {
      signal.removeEventListener('abort', abort);
    }
  };
}
