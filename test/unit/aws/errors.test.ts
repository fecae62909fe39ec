import { describe, expect, it } from '@jest/globals';
import { toAwsErrorKind } from '../../../src/aws/errors.js';

const named = (name: string, message = 'told so') => Object.assign(new Error(message), { name });
const coded = (code: string, message = '') => Object.assign(new Error(message), { code });

describe('toAwsErrorKind', () => {
  it.each([
    ['no_credentials', named('CredentialsProviderError', 'Could not load credentials from any providers')],
    ['no_credentials', new Error('Resolved credential object is not valid')],
    ['expired', named('CredentialsProviderError', 'The SSO session associated with this profile has expired.')],
    ['expired', named('TokenProviderError', 'Token is expired')],
    ['expired', named('ExpiredTokenException')],
    ['expired', named('ExpiredToken')],
    ['expired', named('UnrecognizedClientException')],
    ['expired', new Error('the session token has expired')],
    ['no_region', new Error('Region is missing')],
    ['denied', named('AccessDeniedException')],
    ['denied', named('AccessDenied', 'the credentials of an expired contract')],
    ['denied', named('UnauthorizedOperation')],
    ['throttled', named('ThrottlingException')],
    ['throttled', named('RequestLimitExceeded')],
    ['not_found', named('ResourceNotFoundException')],
    ['not_found', named('InvalidSubnetID.NotFound')],
    ['not_found', named('NoSuchBucket')],
    ['not_found', named('ValidationError', 'Stack with id reef does not exist')],
    ['unreachable', coded('ECONNREFUSED')],
    ['unreachable', coded('ENOTFOUND')],
    ['unreachable', named('TimeoutError')],
    ['other', named('ValidationError', 'The name is too long')],
    ['other', 'just text'],
    ['other', undefined],
  ] as const)('is %s: %p', (kind, error) => {
    expect(toAwsErrorKind(error)).toBe(kind);
  });
});
