/** A path as it stands in a URL: each part percent-encoded. */
export const urlPath = (path: string) => path.split('/').map(encodeURIComponent).join('/');
