import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAws } from '../../../src/aws/clients.js';
import { createApi } from '../../../src/client/api.js';
import type { WorkerAssignment } from '../../../src/contract/jobs.js';
import { listFiles } from '../../../src/platform/files.js';
import { S3Storage } from '../../../src/storage/s3.js';
import { uploadOutput } from '../../../src/worker/upload.js';
import { type FakeS3, startFakeS3 } from '../../support/fakes/s3.js';
import { startTestService, type TestCaller, type TestService } from '../../support/service.js';

const environment = {
  AWS_ACCESS_KEY_ID: 'AKIATEST',
  AWS_SECRET_ACCESS_KEY: 'a secret of the tests',
  AWS_REGION: 'ap-southeast-2',
};
const before = { ...process.env };
let s3: FakeS3;
let system: TestService;
let user: TestCaller;
let worker: TestCaller;
let output: string;
let workerKey: string;
beforeAll(async () => {
  s3 = await startFakeS3();
  Object.assign(process.env, environment, { S3_ENDPOINT: s3.url });
  system = await startTestService({ env: { S3_BUCKET_NAME: 'results', S3_ENDPOINT: s3.url } });
  [user, worker] = [await system.as(), await system.as('WORKER')];
  workerKey = await system.apiKey(worker.userId);
  output = await mkdtemp(path.join(os.tmpdir(), 'reefguide-output-'));
});
afterAll(async () => {
  process.env = before;
  await system.close();
  await s3.close();
  await rm(output, { recursive: true });
});

const names = ['a.txt', 'deep/er/b.txt', 'with space & <amp>.txt', 'ülme/珊瑚 "1".json', 'plus+and%25.csv', "it's.txt"];
const storage = () => new S3Storage(createAws({ region: 'ap-southeast-2', s3Endpoint: s3.url }), 'results');

const workerApi = () => createApi({ baseUrl: system.url, credentials: { kind: 'apiKey', apiKey: workerKey } });

describe('the list of files', () => {
  it('holds every file below the location and no other, also beyond a page of 1,000', async () => {
    const location = 's3://results/jobs/LIST/1/1';
    for (let n = 0; n < 2345; n += 1) s3.objects.set(`results/jobs/LIST/1/1/part ${n}.bin`, Buffer.from('x'));
    for (const name of names) s3.objects.set(`results/jobs/LIST/1/1/${name}`, Buffer.from(name));
    s3.objects.set('results/jobs/LIST/1/1/', Buffer.alloc(0));
    for (const other of ['LIST/1/10/x', 'LIST/1/1x', 'LIST/2/1/x'])
      s3.objects.set(`results/jobs/${other}`, Buffer.alloc(1));
    s3.requests.length = 0;
    const files = await storage().list(location);
    expect(files).toHaveLength(2345 + names.length);
    for (const name of names) expect(files).toContainEqual({ relativePath: name, bytes: Buffer.byteLength(name) });
    expect(s3.requests).toHaveLength(3);
  });

  it('is empty where nothing is', async () => {
    expect(await storage().list('s3://results/jobs/TEST/9/9')).toEqual([]);
  });
});

describe('a presigned URL', () => {
  it.each(names)('fetches %s, without credentials', async (name) => {
    const location = 's3://results/jobs/TEST/3/3';
    s3.objects.set(`results/jobs/TEST/3/3/${name}`, Buffer.from(`content of ${name}`));
    const url = await storage().downloadUrl(location, name, 77);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('77');
    expect(url).not.toContain(environment.AWS_SECRET_ACCESS_KEY);
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(`content of ${name}`);
  });
});

describe('a job', () => {
  it('has its files uploaded by the worker, large ones in parts, and downloaded by the user', async () => {
    const content = new Map(names.map((name) => [name, randomBytes(1000)]));
    content.set('large.bin', randomBytes(12 * 1024 ** 2));
    content.set('empty', Buffer.alloc(0));
    for (const [name, bytes] of content) {
      await mkdir(path.dirname(path.join(output, name)), { recursive: true });
      await writeFile(path.join(output, name), bytes);
    }
    const { jobId } = (await user.post('/api/jobs', { type: 'TEST', inputPayload: { id: 1 } })).body;
    const task = { ecsTaskArn: 'task', ecsClusterArn: 'cluster' };
    const claimed = await worker.post('/api/jobs/claim', { jobTypes: ['TEST'], ...task });
    const assignment: WorkerAssignment = claimed.body.claims[0].assignment;
    expect(assignment).toMatchObject({
      storage_scheme: 'S3',
      storage_uri: `s3://results/jobs/TEST/${jobId}/${assignment.id}`,
    });
    expect(assignment.upload_url_prefix).toBeUndefined();

    await uploadOutput(workerApi(), assignment, await listFiles(output), new AbortController().signal);
    expect(s3.requests.filter((request) => request.includes('large.bin')).length).toBeGreaterThanOrEqual(4);
    await worker.post(`/api/jobs/assignments/${assignment.id}/result`, { status: 'SUCCEEDED' });

    const { files } = (await user.get(`/api/jobs/${jobId}/download`)).body;
    expect(Object.keys(files).sort()).toEqual([...content.keys()].sort());
    for (const [name, bytes] of content) {
      const response = await fetch(files[name]);
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    }
  });

  it('stores files through presigned URLs when the worker has no credentials', async () => {
    const { jobId } = (await user.post('/api/jobs', { type: 'TEST', inputPayload: { id: 2 } })).body;
    const task = { ecsTaskArn: 'task', ecsClusterArn: 'cluster' };
    const claimed = await worker.post('/api/jobs/claim', { jobTypes: ['TEST'], ...task });
    const assignment: WorkerAssignment = claimed.body.claims[0].assignment;
    const asked = { files: names };
    const { urls } = (await worker.post(`/api/jobs/assignments/${assignment.id}/upload-urls`, asked)).body;
    for (const name of names) {
      const put = await fetch(urls[name], { method: 'PUT', body: `content of ${name}` });
      expect(put.status).toBe(200);
    }
    expect((await storage().list(assignment.storage_uri)).map(({ relativePath }) => relativePath).sort()).toEqual(
      [...names].sort(),
    );
    expect((await worker.post(`/api/jobs/assignments/${assignment.id}/upload-urls`, { files: ['../x'] })).status).toBe(
      400,
    );
    await worker.post(`/api/jobs/assignments/${assignment.id}/result`, { status: 'SUCCEEDED' });
    expect((await worker.post(`/api/jobs/assignments/${assignment.id}/upload-urls`, asked)).status).toBe(409);
    expect((await user.post(`/api/jobs/assignments/${assignment.id}/upload-urls`, asked)).status).toBe(403);
    const { files } = (await user.get(`/api/jobs/${jobId}/download`)).body;
    expect(await (await fetch(files[names[3] ?? ''])).text()).toBe(`content of ${names[3]}`);
  });

  it('stores files when the worker has no credentials at all', async () => {
    await user.post('/api/jobs', { type: 'TEST', inputPayload: { id: 3 } });
    const task = { ecsTaskArn: 'task', ecsClusterArn: 'cluster' };
    const claimed = await worker.post('/api/jobs/claim', { jobTypes: ['TEST'], ...task });
    const assignment: WorkerAssignment = claimed.body.claims[0].assignment;
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) delete process.env[name];
    process.env.AWS_EC2_METADATA_DISABLED = 'true';
    try {
      await uploadOutput(workerApi(), assignment, await listFiles(output), new AbortController().signal);
    } finally {
      Object.assign(process.env, environment);
    }
    expect(await storage().list(assignment.storage_uri)).toContainEqual({
      relativePath: 'large.bin',
      bytes: 12 * 1024 ** 2,
    });
  });

  it('leaves no file behind when the upload is aborted', async () => {
    const assignment = { storage_uri: 's3://results/jobs/TEST/8/8' } as WorkerAssignment;
    const stop = new AbortController();
    stop.abort(new Error('cancelled'));
    await expect(uploadOutput(workerApi(), assignment, await listFiles(output), stop.signal)).rejects.toThrow(
      'cancelled',
    );
    expect(await storage().list(assignment.storage_uri)).toEqual([]);
  });
});
