import path from 'node:path';
import { finished } from 'node:stream/promises';
import type { Request, Response } from 'express';
import send from 'send';
import { notFound } from '../../contract/errors.js';
import { jobRoutes } from '../../contract/job-routes.js';
import type { LocalFile, LocalStorage } from '../../storage/local.js';
import type { UrlSigner } from '../../storage/signed-url.js';
import type { Http } from '../http/routes.js';

/** Largest size of one file: more than any result, less than a disk. */
const maxFileBytes = 64 * 1024 ** 3;

/** Binds upload and download of LOCAL storage, for holders of a signed URL. Files stream: none sits in memory whole. */
export function addFileRoutes(http: Http, storage: LocalStorage | undefined, signer: UrlSigner): void {
  const requireStorage = () => {
    if (!storage) throw notFound('File');
    return storage;
  };
  http.open(jobRoutes.upload, async ({ params }, { request }) => {
    const key = signer.verify('PUT', params.path);
    await requireStorage().write(key, request, maxFileBytes);
  });
  http.open(jobRoutes.file, async ({ params }, { request, response }) => {
    const key = signer.verify('GET', params.path);
    await sendFile(request, response, await requireStorage().read(key));
  });
}

/** Answers with a file, a range of the file (206, 416), or without a body for a current copy of the client (304). */
async function sendFile(request: Request, response: Response, { file, bytes }: LocalFile): Promise<void> {
  const name = path.basename(file);
  request.headers.range = clipSuffixRange(request.headers.range, bytes);
  // A result file is data: no browser shows the file as a page of the API's origin.
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`);
  const answered = finished(response).catch((error: NodeJS.ErrnoException) => {
    // The client hung up.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
  const failed = new Promise<never>((_, reject) => {
    send(request, encodeURIComponent(name), { root: path.dirname(file), dotfiles: 'allow', cacheControl: false })
      .on('error', (error: { status: number; headers?: Record<string, string> }) => {
        if (error.status === 404) reject(notFound('File'));
        else if (error.status === 412 || error.status === 416) {
          response.removeHeader('Content-Disposition');
          response
            .status(error.status)
            .set(error.headers ?? {})
            .end();
        } else reject(error);
      })
      .pipe(response);
  });
  await Promise.race([answered, failed]);
}

/** Limits a suffix range, because `send` answers 416 for a longer one: `bytes=-99` of 18 bytes → `bytes=-18`. */
export const clipSuffixRange = (header: string | undefined, bytes: number): string | undefined =>
  header?.replace(/^bytes=-(\d+)$/, (_, length: string) => `bytes=-${Math.min(Number(length), bytes)}`);
