/** Percent-encodes each part of a path: `charts/a b.svg` → `charts/a%20b.svg`. */
export const urlPath = (path: string) => path.split('/').map(encodeURIComponent).join('/');

/** Path of the WebSocket for logs of executions. */
export const socketPath = '/ws';
