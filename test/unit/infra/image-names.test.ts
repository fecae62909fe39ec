import { describe, expect, it } from '@jest/globals';
import { parseEcrImage } from '../../../src/infra/image-names.js';

describe('parseEcrImage', () => {
  const registry = '123456789012.dkr.ecr.ap-southeast-2.amazonaws.com';
  const parts = { account: '123456789012', region: 'ap-southeast-2', repository: 'team/worker' };
  const digest = `sha256:${'a'.repeat(64)}`;

  it.each([
    [`${registry}/team/worker`, { ...parts, tagOrDigest: 'latest' }],
    [`${registry}/team/worker:1.2`, { ...parts, tagOrDigest: '1.2' }],
    [`${registry}/team/worker@${digest}`, { ...parts, tagOrDigest: digest }],
    [`${registry}/team/worker:1.2@${digest}`, { ...parts, tagOrDigest: digest }],
    ['images.example.com/team/worker:1.2', undefined],
    ['images.example.org:5000/library/alpine:3.22', undefined],
    ['reefguide', undefined],
  ])('parses %s', (image, read) => {
    expect(parseEcrImage(image)).toEqual(read);
  });
});
