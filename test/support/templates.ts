import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { lock } from 'proper-lockfile';
import { z } from 'zod';
import { sampleWith } from './sample-deployment.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

const resource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DeletionPolicy: z.string().optional(),
});
const template = z.looseObject({
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
});
export type Template = z.infer<typeof template>;

/** Variants of the stack, as changes to configs/sample.json. */
export const variants = {
  'on ECS with a database': {},
  'on ECS without a database': { db: undefined, executions: undefined, monitoring: undefined },
  'on Lambda with a database': { 'webAPI.mode': { lambda: {} } },
  'on Lambda without a database': {
    'webAPI.mode': { lambda: {} },
    db: undefined,
    monitoring: undefined,
    'executions.defaultImage': 'reefguide',
  },
} satisfies Record<string, Record<string, unknown>>;
export type Variant = keyof typeof variants;
export const variantNames: Variant[] = [
  'on ECS with a database',
  'on ECS without a database',
  'on Lambda with a database',
  'on Lambda without a database',
];

export interface Synthesised {
  template: Template;
  /** Path of the template. */
  file: string;
}

const program = `
import { readFileSync } from 'node:fs';
import { parseDeployment } from './src/deployment/load.ts';
import { synthesise } from './src/infra/synth.ts';
const { cases, bundle, repository } = JSON.parse(readFileSync(process.env.SYNTH_CASES, 'utf8'));
for (const { text, outdir } of cases) synthesise({ deployment: parseDeployment(text, 'test'), bundle, repository, outdir });
`;

/**
 * Returns the templates of all variants. A child process writes them, because loading CDK inside jest takes long, and fails
 * when cdk-nag does. Equal code and configuration reuse the templates of an earlier run.
 */
export async function synthesiseVariants(): Promise<Record<Variant, Synthesised>> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: repository, loader: 'ts' },
    absWorkingDir: repository,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const code = outputFiles[0]?.text ?? '';
  const texts = variantNames.map((name) => sampleWith(variants[name]));
  const versions = await readFile(path.join(repository, 'package.json'), 'utf8');
  const hash = createHash('sha256')
    .update(JSON.stringify([code, texts, versions]))
    .digest('hex')
    .slice(0, 16);
  const directory = path.join(tmpdir(), `reefguide-templates-${hash}`);
  // Lets one test file synthesise while the others wait.
  const release = await lock(directory, { realpath: false, stale: 60_000, retries: { retries: 300, factor: 1 } });
  try {
    if (!existsSync(directory)) await synthesiseInto(directory, code, texts);
  } finally {
    await release();
  }
  const read = async (index: number): Promise<Synthesised> => {
    const names = await readdir(path.join(directory, String(index)));
    const file = path.join(directory, String(index), names.find((name) => name.endsWith('.template.json')) ?? '');
    return { file, template: template.parse(JSON.parse(await readFile(file, 'utf8'))) };
  };
  const [ecs, ecsOnly, lambda, lambdaOnly] = await Promise.all([read(0), read(1), read(2), read(3)]);
  return {
    'on ECS with a database': ecs,
    'on ECS without a database': ecsOnly,
    'on Lambda with a database': lambda,
    'on Lambda without a database': lambdaOnly,
  };
}

async function synthesiseInto(directory: string, code: string, texts: string[]): Promise<void> {
  // Stands beside `directory`, so that one rename completes the work.
  const work = await mkdtemp(`${directory}-`);
  try {
    const image = path.join(work, 'image');
    const bundle = path.join(work, 'bundle');
    await Promise.all([mkdir(image), mkdir(bundle)]);
    await writeFile(path.join(image, 'Dockerfile'), 'FROM scratch\n');
    await writeFile(path.join(bundle, 'stub.js'), '\n');
    const cases = texts.map((text, index) => ({ text, outdir: path.join(work, String(index)) }));
    const file = path.join(work, 'cases.json');
    await writeFile(file, JSON.stringify({ cases, bundle, repository: image }));
    await runModule(code, { ...process.env, NODE_OPTIONS: '', SYNTH_CASES: file });
    await rename(work, directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Runs code from stdin, so that imports of packages resolve from the repository. */
function runModule(code: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: repository, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
    child.once('error', reject);
    child.once('close', (status) => (status === 0 ? resolve() : reject(new Error(`The synthesis failed:\n${output}`))));
    child.stdin.end(code);
  });
}

export interface Resource {
  id: string;
  properties: Record<string, unknown>;
  deletionPolicy: string | undefined;
}

/** Returns the resources of a type with `part` in their logical id. */
export function getResources({ Resources }: Template, type: string, part = ''): Resource[] {
  return Object.entries(Resources)
    .filter(([id, { Type }]) => Type === type && id.includes(part))
    .map(([id, { Properties, DeletionPolicy }]) => ({ id, properties: Properties, deletionPolicy: DeletionPolicy }));
}

export function getOnlyResource(template: Template, type: string, part = ''): Resource {
  const [resource, ...others] = getResources(template, type, part);
  if (!resource || others.length > 0) throw new Error(`Expected one ${type} with ${part} in its id`);
  return resource;
}

const pairs = z.array(z.object({ Name: z.string(), Value: z.unknown().optional(), ValueFrom: z.unknown().optional() }));
const containers = z
  .array(
    z.looseObject({
      Image: z.unknown(),
      Command: z.array(z.string()).optional(),
      Environment: pairs.default([]),
      Secrets: pairs.default([]),
      HealthCheck: z.looseObject({ Command: z.array(z.string()) }).optional(),
      StopTimeout: z.number().optional(),
      MountPoints: z.array(z.record(z.string(), z.unknown())).default([]),
    }),
  )
  .length(1);

/** Returns the only container of a task definition, with environment and secrets by name. */
export function getContainer({ properties }: Resource) {
  const [container] = containers.parse(properties.ContainerDefinitions);
  if (!container) throw new Error('Expected a container');
  const record = (list: z.infer<typeof pairs>) =>
    Object.fromEntries(list.map(({ Name, Value, ValueFrom }) => [Name, Value ?? ValueFrom]));
  return { ...container, environment: record(container.Environment), secrets: record(container.Secrets) };
}

/** Returns the environments of the API and the event processor, each with a part of the name of the program's policy. */
export function getProgramEnvironments(template: Template): [string, Record<string, unknown>][] {
  const getFunction = (part: string): [string, Record<string, unknown>] => {
    const { properties } = getOnlyResource(template, 'AWS::Lambda::Function', part);
    return [`${part}ProgramRole`, Object(Reflect.get(Object(properties.Environment), 'Variables'))];
  };
  const [apiTask] = getResources(template, 'AWS::ECS::TaskDefinition', 'WebApi');
  const api: [string, Record<string, unknown>] = apiTask
    ? ['WebApiTaskTaskRole', getContainer(apiTask).environment]
    : getFunction('WebApi');
  return [api, getFunction('EventProcessor')];
}

const toArray = (value: unknown) => (Array.isArray(value) ? value : [value]);
const document = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.looseObject({
        Effect: z.string(),
        Action: z.unknown().transform(toArray).pipe(z.array(z.string())),
        Resource: z.unknown().transform(toArray),
        Condition: z.unknown().optional(),
      }),
    ),
  }),
});

export interface Statement {
  policy: string;
  actions: string[];
  resources: string[];
  condition: unknown;
}

/** Returns the statements of policies with `part` in their id. A reference becomes text such as `<WorkerRole.Arn>`. */
export function getStatements(template: Template, part = ''): Statement[] {
  return getResources(template, 'AWS::IAM::Policy', part).flatMap(({ id, properties }) =>
    document.parse(properties).PolicyDocument.Statement.map((statement) => ({
      policy: id,
      actions: statement.Action,
      resources: statement.Resource.map(toText),
      condition: statement.Condition,
    })),
  );
}

const join = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });
const reference = z.object({ Ref: z.string() });
const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });

/** Returns a value of a template as text, for example `{ Ref: 'Vpc' }` → `<Vpc>`. */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  const joined = join.safeParse(value).data;
  if (joined) return joined['Fn::Join'][1].map(toText).join(joined['Fn::Join'][0]);
  const ref = reference.safeParse(value).data;
  if (ref) return `<${ref.Ref}>`;
  const att = attribute.safeParse(value).data;
  return att ? `<${att['Fn::GetAtt'].join('.')}>` : JSON.stringify(value);
}
