import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { toDatabaseUrl } from '../../../src/aws/service-secrets.js';

describe('toDatabaseUrl', () => {
  it('encodes any characters of the secret, and verifies the certificate', () => {
    const secret = {
      username: 'reef@home:x',
      password: `p/a?s#s%w&o=r+d "'@:珊`,
      host: 'db.example.org',
      port: 5433,
      dbname: 'my db',
    };
    const url = toDatabaseUrl(secret);
    const { user, password, host, port, database } = new pg.Client({ connectionString: url });
    expect({ username: user, password, host, port, dbname: database }).toEqual(secret);
    expect(new URL(url).searchParams.get('sslmode')).toBe('verify-full');
  });
});
