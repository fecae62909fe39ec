import { describe, expect, it } from '@jest/globals';
import {
  isDatabaseUnavailable,
  isRefusedInput,
  isRowGone,
  isUniqueViolation,
  sqlState,
  violatedForeignKey,
} from '../../../src/database/errors.js';

const withCode = (code: string, message = '') => Object.assign(new Error(message), { code });
/** Wraps an error of the driver as Prisma does. */
const prismaError = (code: string, cause: object) =>
  Object.assign(new Error(''), { code, meta: { driverAdapterError: new Error('', { cause }) } });
const wrapped = (cause: unknown) => new Error('outer', { cause: new Error('middle', { cause }) });

describe('isDatabaseUnavailable', () => {
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
    ['a database that is starting', new Error('the database system is starting up')],
    ['a refusal at every address', new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')])],
    ['a cause deep within', wrapped(withCode('57P01'))],
    ['an error kind of Prisma', { kind: 'DatabaseNotReachable' }],
    ['an error kind in the cause', Object.assign(new Error('x'), { cause: { kind: 'ConnectionClosed' } })],
    ['an original code', { originalCode: '08006' }],
    [
      'an error of the driver inside an error of Prisma',
      prismaError('P2039', { originalCode: '57P01', kind: 'postgres' }),
    ],
  ])('returns true for %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['a unique violation', withCode('23505')],
    ['a syntax error', withCode('42601')],
    ['a value out of range', withCode('22003')],
    ['a deadlock', withCode('40P01')],
    ['a statement that took too long', withCode('57014')],
    ['a plain error', new Error('nothing of the kind')],
    ['a deleted row', withCode('P2025')],
    ['a text', 'ECONNREFUSED'],
    ['nothing', undefined],
    ['null', null],
  ])('returns false for %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  it('returns false for an error that is its own cause', () => {
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
    [prismaError('P2020', { originalCode: '22003', kind: 'ValueOutOfRange' }), '22003'],
    [withCode('P2003'), undefined],
    [withCode('P0001'), 'P0001'],
    [withCode('ECONNREFUSED'), undefined],
    [new Error('none'), undefined],
    [undefined, undefined],
  ])('case %#: returns the SQLSTATE', (error, state) => {
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
  ])('case %#: recognises unique violations alone', (error, violated) => {
    expect(isUniqueViolation(error)).toBe(violated);
  });
});

describe('brokenReference', () => {
  it.each<[unknown, string | undefined]>([
    [Object.assign(withCode('23503'), { constraint: 'Job_user_id_fkey' }), 'Job_user_id_fkey'],
    [
      prismaError('P2003', { kind: 'ForeignKeyConstraintViolation', constraint: { index: 'Polygon_user_id_fkey' } }),
      'Polygon_user_id_fkey',
    ],
    [withCode('23503'), 'unknown'],
    [withCode('23505'), undefined],
    [undefined, undefined],
  ])('case %#: returns the name of the foreign key', (error, name) => {
    expect(violatedForeignKey(error)).toBe(name);
  });
});

describe('isRefusedInput', () => {
  it.each<[unknown, boolean]>([
    [withCode('22P02'), true],
    [withCode('23502'), true],
    [prismaError('P2020', { originalCode: '22003' }), true],
    [withCode('57P01'), false],
    [withCode('ECONNREFUSED'), false],
    [new Error('none'), false],
  ])('case %#: recognises refused values alone', (error, refused) => {
    expect(isRefusedInput(error)).toBe(refused);
  });
});

describe('isRowGone', () => {
  it.each<[unknown, boolean]>([
    [withCode('P2025'), true],
    [withCode('P2003'), false],
    [undefined, false],
  ])('case %#: recognises a missing row alone', (error, gone) => {
    expect(isRowGone(error)).toBe(gone);
  });
});
