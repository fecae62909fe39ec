import { describe, expect, it } from '@jest/globals';
import { describeUrl, isLocalUrl, toDatabaseError } from '../../../src/database/connect.js';
import { toIsoTime } from '../../../src/database/database.js';
import {
  isDatabaseUnavailable,
  isRefusedInput,
  isRowGone,
  isUniqueViolation,
  sqlState,
  violatedForeignKey,
} from '../../../src/database/errors.js';

const withCode = (code: string, message = '') => Object.assign(new Error(message), { code });
/** As Prisma wraps what a driver threw. */
const ofPrisma = (code: string, cause: object) =>
  Object.assign(new Error(''), { code, meta: { driverAdapterError: new Error('', { cause }) } });
const wrapped = (cause: unknown) => new Error('outer', { cause: new Error('middle', { cause }) });

describe('the database is away:', () => {
  it.each<[string, unknown]>([
    ...['08000', '08001', '08006', '57P01', '57P02', '57P03', '53100', '53200', '53300', '25006', '55006'].map(
      (code): [string, unknown] => [`SQLSTATE ${code}`, withCode(code)],
    ),
    ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'P1001', 'P1017', 'P2024'].map(
      (code): [string, unknown] => [code, withCode(code)],
    ),
    ['a connection that ended', new Error('Connection terminated unexpectedly')],
    ['no connection in time', new Error('timeout exceeded when trying to connect')],
    ['a client that broke', new Error('Client has encountered a connection error and is not queryable')],
    ['a pool that was closed', new Error('Cannot use a pool after calling end on the pool')],
    ['a database that starts', new Error('the database system is starting up')],
    ['every address refused', new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')])],
    ['a cause deep within', wrapped(withCode('57P01'))],
    ['Prisma’s words for it', { kind: 'DatabaseNotReachable' }],
    ['Prisma’s cause', Object.assign(new Error('x'), { cause: { kind: 'ConnectionClosed' } })],
    ['an original code', { originalCode: '08006' }],
    ['an error of the driver within Prisma’s', ofPrisma('P2039', { originalCode: '57P01', kind: 'postgres' })],
  ])('%s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });
});

describe('the database is there:', () => {
  it.each<[string, unknown]>([
    ['a unique violation', withCode('23505')],
    ['a syntax error', withCode('42601')],
    ['a value out of range', withCode('22003')],
    ['a deadlock', withCode('40P01')],
    ['a statement that took too long', withCode('57014')],
    ['a plain error', new Error('nothing of the kind')],
    ['a record that is gone', withCode('P2025')],
    ['a text', 'ECONNREFUSED'],
    ['nothing', undefined],
    ['null', null],
  ])('%s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  it('an error that is its own cause', () => {
    const error = new Error('loop');
    error.cause = error;
    expect(isDatabaseUnavailable(error)).toBe(false);
  });
});

describe('sqlState', () => {
  it.each<[unknown, string | undefined]>([
    [withCode('22P02'), '22P02'],
    [wrapped(withCode('23505')), '23505'],
    [{ originalCode: '23505', code: 'P2002' }, '23505'],
    [ofPrisma('P2020', { originalCode: '22003', kind: 'ValueOutOfRange' }), '22003'],
    [withCode('P2003'), undefined],
    [withCode('P0001'), 'P0001'],
    [withCode('ECONNREFUSED'), undefined],
    [new Error('none'), undefined],
    [undefined, undefined],
  ])('%#', (error, state) => {
    expect(sqlState(error)).toBe(state);
  });
});

describe('isUniqueViolation', () => {
  it.each<[unknown, boolean]>([
    [withCode('23505'), true],
    [withCode('P2002'), true],
    [wrapped(withCode('P2002')), true],
    [{ kind: 'UniqueConstraintViolation' }, true],
    [withCode('23503'), false],
    [undefined, false],
  ])('%#', (error, violated) => {
    expect(isUniqueViolation(error)).toBe(violated);
  });
});

describe('brokenReference', () => {
  it.each<[unknown, string | undefined]>([
    [Object.assign(withCode('23503'), { constraint: 'Job_user_id_fkey' }), 'Job_user_id_fkey'],
    [
      ofPrisma('P2003', { kind: 'ForeignKeyConstraintViolation', constraint: { index: 'Polygon_user_id_fkey' } }),
      'Polygon_user_id_fkey',
    ],
    [withCode('23503'), 'unknown'],
    [withCode('23505'), undefined],
    [undefined, undefined],
  ])('%#', (error, name) => {
    expect(violatedForeignKey(error)).toBe(name);
  });
});

describe('isRefusedInput', () => {
  it.each<[unknown, boolean]>([
    [withCode('22P02'), true],
    [withCode('23502'), true],
    [ofPrisma('P2020', { originalCode: '22003' }), true],
    [withCode('57P01'), false],
    [withCode('ECONNREFUSED'), false],
    [new Error('none'), false],
  ])('%#', (error, refused) => {
    expect(isRefusedInput(error)).toBe(refused);
  });
});

describe('isRowGone', () => {
  it.each<[unknown, boolean]>([
    [withCode('P2025'), true],
    [withCode('P2003'), false],
    [undefined, false],
  ])('%#', (error, gone) => {
    expect(isRowGone(error)).toBe(gone);
  });
});

describe('isoTime', () => {
  it.each([
    ['2026-03-01 04:05:06+00', '2026-03-01T04:05:06.000Z'],
    ['2026-03-01 04:05:06.7+00', '2026-03-01T04:05:06.700Z'],
    ['2026-03-01 04:05:06.78+00', '2026-03-01T04:05:06.780Z'],
    ['2026-03-01 04:05:06.789+00', '2026-03-01T04:05:06.789Z'],
  ])('%s is %s', (text, iso) => {
    expect(toIsoTime(text)).toBe(iso);
    expect(new Date(iso).toISOString()).toBe(iso);
  });
});

describe('what a person reads of a database that cannot be used', () => {
  const url = 'postgresql://me:hunter2@db.example.org/reef';
  it.each<[unknown, string]>([
    [withCode('28P01'), 'refuses the user or the password'],
    [withCode('3D000'), 'no such database'],
    [withCode('42501'), 'does not allow this user to make tables'],
    [withCode('ECONNREFUSED'), 'does not answer'],
    [new AggregateError([]), 'does not answer'],
  ])('%# says what is wrong and where, never the password', (cause, words) => {
    const { message } = toDatabaseError(url, cause);
    expect(message).toContain(words);
    expect(message).toContain('db.example.org:5432/reef');
    expect(message).not.toContain('hunter2');
  });

  it('leaves other errors alone', () => {
    const error = new Error('other');
    expect(toDatabaseError(url, error)).toBe(error);
    expect(describeUrl('not a url')).toBe('the given address');
  });
});

describe('isOnThisMachine', () => {
  it.each([
    ['postgresql://localhost/a', true],
    ['postgresql://127.0.0.1:5432/a', true],
    ['postgresql://[::1]/a', true],
    ['postgresql:///a?host=/tmp', true],
    ['postgresql://db.example.org/a', false],
    ['postgresql://localhost.example.org/a', false],
    ['postgresql://localhost/a?host=db.example.org', false],
    ['nonsense', false],
  ])('%s: %s', (url, local) => {
    expect(isLocalUrl(url)).toBe(local);
  });
});
