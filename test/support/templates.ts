import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { z } from 'zod';

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

const object = z.record(z.string(), z.unknown());

/** configs/sample.json, with other values at some paths; `undefined` takes a field out. */
export async function sampleWith(changes: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const sample = object.parse(JSON.parse(await readFile(path.join(repository, 'configs/sample.json'), 'utf8')));
  for (const [place, value] of Object.entries(changes)) {
    const steps = place.split('.');
    const last = steps.pop() ?? '';
    let parent: unknown = sample;
    for (const step of steps) parent = Reflect.get(Object(parent), step);
    Reflect.set(Object(parent), last, value);
  }
  return sample;
}

/** The forms of the stack that differ, as changes to the sample. */
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
  /** Where the template stands. */
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
 * The templates of every variant, cdk-nag's checks passed. Loading CDK within jest would take long, so a process of its
 * own writes them; equal code and configuration find them written already.
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
  const texts = await Promise.all(variantNames.map(async (name) => JSON.stringify(await sampleWith(variants[name]))));
  const versions = await readFile(path.join(repository, 'package.json'), 'utf8');
  const hash = createHash('sha256')
    .update(JSON.stringify([code, texts, versions]))
    .digest('hex')
    .slice(0, 16);
  const folder = path.join(tmpdir(), `reefguide-templates-${hash}`);
  if (!existsSync(folder)) await synthesiseInto(folder, code, texts);
  const read = async (index: number): Promise<Synthesised> => {
    const names = await readdir(path.join(folder, String(index)));
    const file = path.join(folder, String(index), names.find((name) => name.endsWith('.template.json')) ?? '');
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

async function synthesiseInto(folder: string, code: string, texts: string[]): Promise<void> {
  // Beside the goal, so that the last step, by which it is there whole or not at all, is one rename.
  const work = await mkdtemp(`${folder}-`);
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
    await rename(work, folder).catch((error: NodeJS.ErrnoException) => {
      // Another test file was faster.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Runs code from stdin, which finds packages from the repository. */
function runModule(code: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: repository, env });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk));
    child.once('error', reject);
    child.once('close', (status) => (status === 0 ? resolve() : reject(new Error(`no template:\n${said}`))));
    child.stdin.end(code);
  });
}

export interface Resource {
  id: string;
  properties: Record<string, unknown>;
  deletionPolicy: string | undefined;
}

/** The resources of a type, whose id holds `part`. */
export function resourcesOf({ Resources }: Template, type: string, part = ''): Resource[] {
  return Object.entries(Resources)
    .filter(([id, { Type }]) => Type === type && id.includes(part))
    .map(([id, { Properties, DeletionPolicy }]) => ({ id, properties: Properties, deletionPolicy: DeletionPolicy }));
}

export function onlyResource(template: Template, type: string, part = ''): Resource {
  const [found, ...others] = resourcesOf(template, type, part);
  if (!found || others.length > 0) throw new Error(`expected one ${type} with ${part}, found ${others.length + 1}`);
  return found;
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

/** The one container of a task definition. */
export function containerOf({ properties }: Resource) {
  const [container] = containers.parse(properties.ContainerDefinitions);
  if (!container) throw new Error('no container');
  const record = (list: z.infer<typeof pairs>) =>
    Object.fromEntries(list.map(({ Name, Value, ValueFrom }) => [Name, Value ?? ValueFrom]));
  return { ...container, environment: record(container.Environment), secrets: record(container.Secrets) };
}

/** By a part of the name of their policy: the environments of the API and of the event processor. */
export function programsOf(template: Template): [string, Record<string, unknown>][] {
  const ofFunction = (part: string): [string, Record<string, unknown>] => {
    const { properties } = onlyResource(template, 'AWS::Lambda::Function', part);
    return [`${part}ProgramRole`, Object(Reflect.get(Object(properties.Environment), 'Variables'))];
  };
  const [inContainer] = resourcesOf(template, 'AWS::ECS::TaskDefinition', 'WebApi');
  const api: [string, Record<string, unknown>] = inContainer
    ? ['WebApiTaskTaskRole', containerOf(inContainer).environment]
    : ofFunction('WebApi');
  return [api, ofFunction('EventProcessor')];
}

const many = (value: unknown) => (Array.isArray(value) ? value : [value]);
const document = z.object({
  PolicyDocument: z.object({
    Statement: z.array(
      z.looseObject({
        Effect: z.string(),
        Action: z.unknown().transform(many).pipe(z.array(z.string())),
        Resource: z.unknown().transform(many),
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

/** What roles are allowed, references written as `<LogicalId.Attribute>`. */
export function allowed(template: Template, part = ''): Statement[] {
  return resourcesOf(template, 'AWS::IAM::Policy', part).flatMap(({ id, properties }) =>
    document.parse(properties).PolicyDocument.Statement.map((statement) => ({
      policy: id,
      actions: statement.Action,
      resources: statement.Resource.map(flat),
      condition: statement.Condition,
    })),
  );
}

const join = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });
const reference = z.object({ Ref: z.string() });
const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });

/** A value of a template as one string. */
export function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const joined = join.safeParse(value).data;
  if (joined) return joined['Fn::Join'][1].map(flat).join(joined['Fn::Join'][0]);
  const ref = reference.safeParse(value).data;
  if (ref) return `<${ref.Ref}>`;
  const att = attribute.safeParse(value).data;
  return att ? `<${att['Fn::GetAtt'].join('.')}>` : JSON.stringify(value);
}
