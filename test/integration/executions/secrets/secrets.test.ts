import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { deriveEncryptionKeys } from '../../../../src/executions/secrets/encryption.js';
import { openValues, resealValues, sealValues } from '../../../../src/executions/secrets/sealed-values.js';
import { readSecret, reencryptSecrets } from '../../../../src/executions/secrets/secrets.js';
import { startTestService, type TestCaller, type TestService } from '../../../support/service.js';

let system: TestService;
let developer: TestCaller;
let operator: TestCaller;
beforeAll(async () => {
  system = await startTestService();
  [developer, operator] = [await system.as('DEVELOPER'), await system.as('OPERATOR')];
});
afterAll(() => system.close());
beforeEach(() => system.database.pool.query('DELETE FROM "Secret"'));

const path = '/api/v1/secrets';
const secret = {
  name: 'data-token',
  key_name: 'DATA_TOKEN',
  description: 'Reads the data',
  value: 'hunter2 "quoted"\n',
};
const create = (changes = {}, by = developer) => by.post(path, { ...secret, ...changes });

describe('routes of secrets', () => {
  it('show the value to the owner and to an operator, and to no other user', async () => {
    expect((await create()).status).toBe(201);
    for (const caller of [developer, operator]) {
      const answer = await caller.get(`${path}/data-token`);
      expect(answer.body.secret).toMatchObject({ ...secret, created_by: developer.email, owned_by: [developer.email] });
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    const other = await system.as('DEVELOPER');
    const refused = await other.get(`${path}/data-token`);
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
  });

  it('list secrets without their values', async () => {
    await create();
    await create({ name: 'another', value: 'hunter3' });
    const { body } = await developer.get(path);
    expect(body.total).toBe(2);
    expect(body.secrets.map(({ name }: { name: string }) => name)).toEqual(['another', 'data-token']);
    expect(JSON.stringify(body)).not.toMatch(/hunter|"value"/);
  });

  it('store the value encrypted', async () => {
    await create();
    const { rows } = await system.database.pool.query('SELECT value FROM "Secret"');
    expect(rows[0].value).toMatch(/^v1\./);
    expect(rows[0].value).not.toContain('hunter2');
  });

  it('create a name once when five requests race', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => create()));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe('SECRET_ALREADY_EXISTS');
  });

  it('change the sent fields alone', async () => {
    await create();
    expect((await developer.put(`${path}/data-token`, { value: 'hunter4' })).status).toBe(200);
    await developer.put(`${path}/data-token`, { description: '' });
    const { secret: updated } = (await developer.get(`${path}/data-token`)).body;
    expect(updated).toMatchObject({ ...secret, value: 'hunter4', description: '' });
  });

  it('answer 404 with SECRET_NOT_FOUND for an unknown name', async () => {
    for (const answer of [
      await operator.get(`${path}/nothing`),
      await operator.put(`${path}/nothing`, { value: 'x' }),
      await operator.delete(`${path}/nothing`),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, 'SECRET_NOT_FOUND']);
  });

  it('remove a secret', async () => {
    await create();
    expect((await developer.delete(`${path}/data-token`)).status).toBe(200);
    expect((await operator.get(`${path}/data-token`)).status).toBe(404);
  });

  it.each([
    ['a path as name', { name: '../x' }],
    ['an invalid variable name', { key_name: 'A-B' }],
    ['an empty value', { value: '' }],
    ['a value over 64 KiB', { value: 'x'.repeat(65_537) }],
    ['an unknown field', { extra: 1 }],
  ])('refuse %s', async (_, changes) => {
    const { status, body } = await create(changes);
    expect([status, body.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });
});

describe('after a rotation of the key', () => {
  const oldKey = 'a key of the tests, long enough';
  const newKey = 'the key after it, long enough too';
  const rotated = deriveEncryptionKeys(newKey, oldKey);
  const newKeys = deriveEncryptionKeys(newKey);

  it('reencryptSecrets encrypts every secret with the new key once', async () => {
    await create();
    await create({ name: 'another' });
    expect(await reencryptSecrets(system.database, rotated)).toBe(2);
    expect(await reencryptSecrets(system.database, rotated)).toBe(0);
    const caller = { ...developer, roles: ['DEVELOPER' as const], requestId: 'test' };
    expect((await readSecret(system.database, newKeys, 'another', caller)).value).toBe(secret.value);
  });

  it('resealValues encrypts the masked values of live executions with the new key', async () => {
    const id = '0'.repeat(32);
    await system.database.pool.query(
      `INSERT INTO "Execution" (execution_id, owned_by, command, image_id, env, secrets, timeout, created_by_request_id,
         modified_by_request_id, compute_platform, masked) VALUES ($1, '{}', 'true', 'x', '{}', '{}', 60, '', '', 'ecs', $2)`,
      [id, sealValues(deriveEncryptionKeys(oldKey), id, ['x'])],
    );
    await resealValues(system.database, rotated);
    const { rows } = await system.database.pool.query('SELECT masked FROM "Execution" WHERE execution_id = $1', [id]);
    expect(openValues(newKeys, id, rows[0].masked)).toEqual(['x']);
  });
});
