import { describe, expect, it } from '@jest/globals';
import { describeUrl, isLocalUrl, toDatabaseError } from '../../../src/database/connect.js';

const withCode = (code: string) => Object.assign(new Error(''), { code });

describe('toDatabaseError', () => {
  const url = 'postgresql://me:hunter2@db.example.org/reef';
  it.each<[string, unknown, string]>([
    ['a wrong password', withCode('28P01'), 'refuses the user or the password'],
    ['a missing database', withCode('3D000'), 'no such database'],
    ['a missing privilege', withCode('42501'), 'does not allow this user to create tables'],
    ['a refused connection', withCode('ECONNREFUSED'), 'does not answer'],
    ['a connection refused at each address', new AggregateError([]), 'does not answer'],
  ])('explains %s, with the address and without the password', (_, cause, words) => {
    const { message } = toDatabaseError(url, cause);
    expect(message).toContain(words);
    expect(message).toContain('db.example.org:5432/reef');
    expect(message).not.toContain('hunter2');
  });

  it('returns other errors unchanged', () => {
    const error = new Error('other');
    expect(toDatabaseError(url, error)).toBe(error);
  });
});

describe('describeUrl', () => {
  it('shows no part of a text that is not a URL', () => {
    expect(describeUrl('not a url')).toBe('the given address');
  });
});

describe('isLocalUrl', () => {
  it.each([
    ['postgresql://localhost/a', true],
    ['postgresql://127.0.0.1:5432/a', true],
    ['postgresql://[::1]/a', true],
    ['postgresql:///a?host=/tmp', true],
    ['postgresql://db.example.org/a', false],
    ['postgresql://localhost.example.org/a', false],
    ['postgresql://localhost/a?host=db.example.org', false],
    ['nonsense', false],
  ])('%s → %s', (url, local) => {
    expect(isLocalUrl(url)).toBe(local);
  });
});
