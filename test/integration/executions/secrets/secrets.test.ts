import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { encryptionKeys } from '../../../../src/executions/secrets/encryption.js';
import { openValues, resealValues, sealValues } from '../../../../src/executions/secrets/sealed-values.js';
import { createSecrets } from '../../../../src/executions/secrets/secrets.js';
import { type Caller, startTestService, type TestService } from '../../../support/service.js';

let system: TestService;
let developer: Caller;
let operator: Caller;
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

describe('a secret', () => {
  it('is shown with its value to its owner and to an operator, and to no other', async () => {
    expect((await create()).status).toBe(201);
    for (const reader of [developer, operator]) {
      const answer = await reader.get(`${path}/data-token`);
      expect(answer.body.secret).toMatchObject({ ...secret, created_by: developer.email, owned_by: [developer.email] });
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    const other = await system.as('DEVELOPER');
    const refused = await other.get(`${path}/data-token`);
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
  });

  it('is listed without its value', async () => {
    await create();
    await create({ name: 'another', value: 'hunter3' });
    const { body } = await developer.get(path);
    expect(body.total).toBe(2);
    expect(body.secrets.map(({ name }: { name: string }) => name)).toEqual(['another', 'data-token']);
    expect(JSON.stringify(body)).not.toMatch(/hunter|"value"/);
  });

  it('is stored encrypted', async () => {
    await create();
    const { rows } = await system.database.pool.query('SELECT value FROM "Secret"');
    expect(rows[0].value).toMatch(/^v1\./);
    expect(rows[0].value).not.toContain('hunter2');
  });

  it('is made once for a name, also when two make it at the same instant', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => create()));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.body.code).toBe('SECRET_ALREADY_EXISTS');
  });

  it('is changed in part', async () => {
    await create();
    expect((await developer.put(`${path}/data-token`, { value: 'hunter4' })).status).toBe(200);
    await developer.put(`${path}/data-token`, { description: '' });
    const { secret: changed } = (await developer.get(`${path}/data-token`)).body;
    expect(changed).toMatchObject({ ...secret, value: 'hunter4', description: '' });
  });

  it('that is not there is 404 with a code of its own', async () => {
    for (const answer of [
      await operator.get(`${path}/nothing`),
      await operator.put(`${path}/nothing`, { value: 'x' }),
      await operator.delete(`${path}/nothing`),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, 'SECRET_NOT_FOUND']);
  });

  it('is gone when it was removed', async () => {
    await create();
    expect((await developer.delete(`${path}/data-token`)).status).toBe(200);
    expect((await operator.get(`${path}/data-token`)).status).toBe(404);
  });

  it.each([
    ['a name that is a path', { name: '../x' }],
    ['a variable that a shell does not know', { key_name: 'A-B' }],
    ['no value', { value: '' }],
    ['a value beyond 64 KiB', { value: 'x'.repeat(65_537) }],
    ['a field that we do not know', { extra: 1 }],
  ])('with %s is refused', async (_, changes) => {
    const { status, body } = await create(changes);
    expect([status, body.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });
});

it('a rotation of the key encrypts every secret anew, and what logs of live executions must not show', async () => {
  await create();
  await create({ name: 'another' });
  const rotated = encryptionKeys('the key after it, long enough too', 'a key of the tests, long enough');
  const secrets = createSecrets(system.database, rotated);
  expect(await secrets.reencrypt()).toBe(2);
  expect(await secrets.reencrypt()).toBe(0);
  const [id, masked] = [
    '0'.repeat(32),
    sealValues(encryptionKeys('a key of the tests, long enough'), '0'.repeat(32), ['x']),
  ];
  await system.database.pool.query(
    `INSERT INTO "Execution" (execution_id, owned_by, command, image_id, env, secrets, timeout, created_by_request_id,
       modified_by_request_id, compute_platform, masked) VALUES ($1, '{}', 'true', 'x', '{}', '{}', 60, '', '', 'ecs', $2)`,
    [id, masked],
  );
  await resealValues(system.database, rotated);
  const { rows } = await system.database.pool.query('SELECT masked FROM "Execution" WHERE execution_id = $1', [id]);
  expect(openValues(encryptionKeys('the key after it, long enough too'), id, rows[0].masked)).toEqual(['x']);
  const alone = createSecrets(system.database, encryptionKeys('the key after it, long enough too'));
  expect((await alone.read('another', { ...developer, roles: ['DEVELOPER'], requestId: 'test' })).value).toBe(
    secret.value,
  );
});
