/** Name of the image built from this repository's Dockerfile, in `image` fields of a configuration. */
export const programImage = 'reefguide';

/** Parses e.g. `123456789012.dkr.ecr.ap-southeast-2.amazonaws.com/team/worker:1.2`; undefined for another registry. */
export function parseEcrImage(image: string) {
  const match =
    /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com\/([^:@]+)(?::([\w.-]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(
      image,
    );
  const [, account, region, repository, tag, digest] = match ?? [];
  if (!account || !region || !repository) return undefined;
  return { account, region, repository, tagOrDigest: digest ?? tag ?? 'latest' };
}
