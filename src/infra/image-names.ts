/** The word that means the image built from this repository's Dockerfile. */
export const programImage = 'reefguide';

export interface EcrImage {
  account: string;
  region: string;
  repository: string;
  tagOrDigest: string;
}

/** The parts of an image in Elastic Container Registry; undefined for an image elsewhere. */
export function parseEcrImage(image: string): EcrImage | undefined {
  const match =
    /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/([^:@]+)(?::([\w.-]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(
      image,
    );
  const [, account, region, repository, tag, digest] = match ?? [];
  if (!account || !region || !repository) return undefined;
  return { account, region, repository, tagOrDigest: digest ?? tag ?? 'latest' };
}

/** A health check of a container of this program, which has no curl but Node.js. */
export const fetchCheck = (url: string) => [
  'CMD',
  'node',
  '-e',
  `fetch('${url}').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`,
];
