import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildBundle } from '../../../src/infra/bundle.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const native = existsSync(path.join(repository, 'node_modules/@node-rs/argon2-linux-x64-gnu'));
if (!native) console.log('Skipping the bundle: its native code does not run on this machine');

let directory: string;
let database: TestDatabase;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'reefguide-bundle-test-'));
  database = await createTestDatabase({ empty: true });
});
afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const listFiles = async (root: string) =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();

/** Returns a hash of all names and contents, the size, and the text of modules, source maps and JSON. */
async function measure(root: string): Promise<{ hash: string; bytes: number; text: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let text = '';
  for (const file of await listFiles(root)) {
    const content = await readFile(file);
    hash.update(path.relative(root, file)).update(content);
    bytes += content.length;
    if (/\.(js|map|json)$/.test(file)) text += content.toString('utf8');
  }
  return { hash: hash.digest('hex'), bytes, text };
}

function run(script: string, cwd: string, env: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script], { cwd, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`ended with ${code}:\n${output}`))));
  });
}

(native ? describe : describe.skip)('buildBundle', () => {
  it('writes equal bytes each time, and functions that run without the repository', async () => {
    const [one, other] = [path.join(directory, 'one'), path.join(directory, 'other')];
    await buildBundle({ repository, directory: one });
    await buildBundle({ repository, directory: other });
    const [first, second] = [await measure(one), await measure(other)];
    expect(first.hash).toBe(second.hash);
    expect(first.bytes).toBeLessThan(60_000_000);
    expect(first.text).not.toContain(repository);

    const workDirectory = path.join(directory, 'elsewhere');
    await mkdir(workDirectory);
    const credentials = { email: 'ranger@example.com', password: 'correct horse' };
    const requests = [
      request('GET', '/api/ready'),
      // Hashes a password with argon2, which is native code.
      request('POST', '/api/auth/register', credentials),
      request('POST', '/api/auth/login', credentials),
      request('GET', '/api/docs/swagger-ui.css'),
      request('GET', '/api/openapi.json'),
      request('GET', '/api/jobs'),
    ];
    const code = path.join(one, 'dist/server');
    const script = path.join(workDirectory, 'invoke.mjs');
    await writeFile(
      script,
      `import { writeFileSync } from 'node:fs';
const [api, processor] = await Promise.all(['lambda', 'lambda-processor'].map((name) => import(\`${code}/\${name}.js\`)));
const statuses = [];
for (const request of ${JSON.stringify(requests)}) statuses.push((await api.handler(request, {})).statusCode);
const applied = await processor.handler(${JSON.stringify(hourly)});
writeFileSync('answers.json', JSON.stringify({ statuses, applied }));
process.exit(0);`,
    );
    await run(script, workDirectory, environment());
    const answers: unknown = JSON.parse(await readFile(path.join(workDirectory, 'answers.json'), 'utf8'));
    expect(answers).toEqual({ statuses: [200, 200, 200, 200, 200, 401], applied: expect.anything() });
  }, 120_000);
});

/** Returns an event of API Gateway in payload format 2.0. */
function request(method: string, rawPath: string, body?: unknown) {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: '',
    headers: { host: 'api.example.com', 'content-type': 'application/json' },
    requestContext: { http: { method, path: rawPath, sourceIp: '192.0.2.1', protocol: 'HTTP/1.1', userAgent: 'test' } },
    body: body === undefined ? undefined : JSON.stringify(body),
    isBase64Encoded: false,
  };
}

const hourly = {
  version: '0',
  id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: '123456789012',
  time: '2026-01-01T00:00:00Z',
  region: 'ap-southeast-2',
  resources: ['arn:aws:events:ap-southeast-2:123456789012:rule/hourly'],
  detail: {},
};

function environment(): Record<string, string> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    PATH: process.env.PATH ?? '',
    NODE_ENV: 'production',
    NODE_OPTIONS: '--enable-source-maps',
    DATABASE_URL: database.url,
    S3_BUCKET_NAME: 'results',
    AWS_REGION: 'ap-southeast-2',
    JWT_PRIVATE_KEY: privateKey,
    JWT_PUBLIC_KEY: publicKey,
    JWT_KEY_ID: 'test',
  };
}
