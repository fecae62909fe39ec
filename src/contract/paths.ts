/** A path as it stands in a URL: each part percent-encoded. */
export const urlPath = (path: string) => path.split('/').map(encodeURIComponent).join('/');

/** Where the logs of executions are streamed. */
export const socketPath = '/ws';
