import { pipeline } from 'node:stream/promises';
import { notFound } from '../../contract/errors.js';
import { jobRoutes } from '../../contract/job-routes.js';
import type { LocalStorage } from '../../storage/local.js';
import type { UrlSigner } from '../../storage/signed-url.js';
import type { Http } from '../http/routes.js';

/** One file may be this large: more than any result, less than a disk. */
const maxFileBytes = 64 * 1024 ** 3;

/** First and last byte of a `Range: bytes=…` header with one range; undefined when there is none to honour. */
export function parseRange(
  header: string | undefined,
  bytes: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, first = '', last = ''] = match;
  const start = first === '' ? Math.max(0, bytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

/** Upload and download of LOCAL storage, for whoever holds a signed URL. Files stream: none sits in memory. */
export function fileRoutesOn(http: Http, storage: LocalStorage | undefined, signer: UrlSigner): void {
  const local = () => {
    if (!storage) throw notFound('File');
    return storage;
  };
  http.open(jobRoutes.upload, async ({ params }, { request }) => {
    const key = signer.verify('PUT', params.path);
    await local().write(key, request, maxFileBytes);
  });
  http.open(jobRoutes.file, async ({ params }, { request, response, signal }) => {
    const key = signer.verify('GET', params.path);
    const file = await local().read(key);
    const range = parseRange(request.headers.range, file.bytes);
    if (range === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${file.bytes}`);
      response.status(416).end();
      return;
    }
    const name = params.path.at(-1) ?? 'file';
    response.status(range ? 206 : 200);
    response.setHeader('Accept-Ranges', 'bytes');
    // Never shown in the API's own origin: a result file is data, not a page of ours.
    response.setHeader('Content-Type', 'application/octet-stream');
    response.setHeader('Content-Disposition', `attachment; filename*=UTF-8''${encodeURIComponent(name)}`);
    response.setHeader('Content-Length', range ? range.end - range.start + 1 : file.bytes);
    if (range) response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${file.bytes}`);
    await pipeline(file.stream(range), response, { signal }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.name !== 'AbortError') throw error;
    });
  });
}
