import { type Issue, SetupError } from '../../contract/errors.js';
import { type RunBody, runBody } from '../../contract/executions.js';
import { parseDuration } from '../output/format.js';
import { nearest } from './nearest-name.js';
import { createSubstitution } from './variables.js';
import { type Problem, readYaml, type Tree } from './yaml-document.js';

const texts = ['description', 'image', 'git_repo', 'git_ref', 'git_path'] as const;
const keys = [...texts, 'secrets', 'env', 'commands', 'timeout'] as const;
type Key = (typeof keys)[number];
const isKey = (name: string): name is Key => keys.some((key) => key === name);

export interface Playbook extends Partial<Record<(typeof texts)[number], string>> {
  commands: string[];
  secrets: string[];
  env: Record<string, string>;
  /** Seconds. */
  timeout?: number;
  /** Names that stand as `${NAME}` in it, each once. */
  variables: string[];
}

/** Everything that is wrong with a playbook, each with `file:line:column`. */
export class PlaybookError extends SetupError {
  readonly issues: Issue[];

  constructor(file: string, issues: Issue[]) {
    super(`${file} has ${issues.length === 1 ? 'a problem' : `${issues.length} problems`}`);
    this.name = 'PlaybookError';
    this.issues = issues;
  }
}

export interface Options {
  /** Values of `${NAME}`. Undefined: not known yet; nothing is substituted, and what holds a variable is not checked. */
  values?: Readonly<Record<string, string>> | undefined;
  /** Keys that something else says, so that what the playbook says of them does not count. */
  overridden?: readonly Key[];
}

/** Reads a playbook, or throws one PlaybookError with all its problems. `file` is its name in them. */
export async function parsePlaybook(file: string, source: string, options: Options = {}): Promise<Playbook> {
  const { tree, problems, place } = await readYaml(source);
  const playbook = tree?.kind === 'map' ? readMap(tree, source, options, problems, (at) => place(at).line) : undefined;
  if (!playbook && problems.length === 0) {
    const message = `expected \`key: value\` lines, with at least \`commands\`; keys are ${keys.join(', ')}`;
    problems.push({ at: tree?.at ?? 0, message });
  }
  if (playbook && problems.length === 0) return playbook;
  const issues = problems
    .sort((a, b) => a.at - b.at)
    .map(({ at, message }) => ({ path: `${file}:${place(at).line}:${place(at).column}`, message }));
  throw new PlaybookError(file, issues);
}

function readMap(
  tree: Tree & { kind: 'map' },
  source: string,
  { values, overridden = [] }: Options,
  problems: Problem[],
  lineOf: (at: number) => number,
): Playbook {
  const substitution = createSubstitution(source, values);
  const problem = ({ at }: { at: number }, message: string) => problems.push({ at, message });
  const fields = new Map<Key, Tree>();
  for (const { key, value } of tree.entries) {
    const name = key.kind === 'text' ? key.text : '';
    if (isKey(name)) {
      if (!fields.has(name)) fields.set(name, value);
      continue;
    }
    const meant = nearest(name, keys);
    problem(key, `unknown key \`${name}\`: ${meant ? `did you mean \`${meant}\`?` : `known are ${keys.join(', ')}`}`);
  }
  for (const key of overridden) fields.delete(key);

  /** Where the contract's problem with a part lies; undefined while the part cannot be checked. */
  const places = new Map<string, number | undefined>();
  const textOf = (value: Tree): (Tree & { kind: 'text' }) | undefined => {
    if (value.kind === 'text') return value;
    problem(value, `expected text${value.kind === 'map' ? '; text that holds `: ` stands in quotes' : ''}`);
    return undefined;
  };
  const fill = (path: string, value: Tree, at = value.at): string | undefined => {
    const found = textOf(value);
    if (!found) return undefined;
    const { text, open } = substitution.fill(found);
    if (!places.has(path) || open) places.set(path, open ? undefined : at);
    return text;
  };
  const items = (key: Key): Tree[] => {
    const field = fields.get(key);
    if (field === undefined) return [];
    if (field.kind !== 'list') problem(field, `expected a list under \`${key}\`, one \`- …\` a line`);
    return field.kind === 'list' ? field.items : [];
  };

  const playbook: Playbook = { commands: [], secrets: [], env: {}, variables: [] };
  for (const key of texts) {
    const field = fields.get(key);
    const text = field && (key === 'description' ? textOf(field)?.text : fill(key, field));
    if (text !== undefined) playbook[key] = text;
  }
  for (const item of items('secrets')) {
    const secret = textOf(item);
    if (!secret) continue;
    places.set(`secrets.${playbook.secrets.length}`, secret.at);
    playbook.secrets.push(secret.text);
  }
  const env = fields.get('env');
  if (env && env.kind !== 'map') problem(env, 'expected `NAME: value` lines under `env`');
  const pairs = (env?.kind === 'map' ? env.entries : []).flatMap(({ key, value }): [string, string][] => {
    const name = textOf(key)?.text;
    const text = name === undefined ? undefined : fill(`env.${name}`, value, key.at);
    return name === undefined || text === undefined ? [] : [[name, text]];
  });
  playbook.env = Object.fromEntries(pairs);
  const timeout = fields.get('timeout');
  const after = timeout && textOf(timeout)?.text;
  if (timeout && after !== undefined) {
    const seconds = /^\d{1,9}$/.test(after) ? Number(after) : (parseDuration(after) ?? Number.NaN) / 1000;
    places.set('timeout', timeout.at);
    if (Number.isNaN(seconds))
      problem(timeout, `${after} is no duration: write for example 10m, or a number of seconds`);
    else playbook.timeout = Math.ceil(seconds);
  }
  for (const item of items('commands')) {
    const command = fill('command', item, fields.get('commands')?.at)?.trim();
    if (command === '') problem(item, 'expected a command');
    else if (command !== undefined) playbook.commands.push(command);
  }
  const commands = fields.get('commands');
  if (!commands) problem(tree, '`commands` is missing: the list of what to run');
  else if (commands.kind === 'list' && commands.items.length === 0) problem(commands, '`commands` is empty');

  problems.push(...substitution.problems(lineOf));
  for (const { path, message } of checkBody(playbook)) {
    const at = places.has(path) ? places.get(path) : (fields.get(topOf(path))?.at ?? tree.at);
    if (at !== undefined) problems.push({ at, message: `${path.split('.').at(-1)}: ${message}` });
  }
  playbook.variables = substitution.names();
  return playbook;
}

const topOf = (path: string): Key => keys.find((key) => key === path.split('.')[0]) ?? 'commands';

const bodyOf = ({ commands, description: _, variables: __, ...body }: Playbook): RunBody => ({
  ...body,
  command: joinCommands(commands),
});

/** What the playbook asks the API for. Throws when its variables had no values yet. */
export const runBodyOf = (playbook: Playbook): RunBody => runBody.parse(bodyOf(playbook));

/** What the contract has against it. */
function checkBody(playbook: Playbook): { path: string; message: string }[] {
  // Commands that could not be read have their problem already.
  const body: Record<string, unknown> = { ...bodyOf(playbook), command: joinCommands(playbook.commands) || 'true' };
  const issuesIn = (value: unknown) => runBody.safeParse(value).error?.issues ?? [];
  const issues = issuesIn(body);
  // zod looks at how fields go together only when each is right by itself.
  const wrong = new Set(issues.map(({ path }) => String(path[0])));
  const together =
    wrong.size === 0 || wrong.has('git_repo')
      ? []
      : issuesIn({ ...Object.fromEntries(Object.entries(body).filter(([key]) => !wrong.has(key))), command: 'true' });
  return [...issues, ...together].map((issue) => ({
    path: issue.path.join('.'),
    message: issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message,
  }));
}

/**
 * One command that runs all and stops at the first that fails: `a && b`. What would not hold together so (several lines,
 * `;`, `||`, `&`, a comment) is put in braces, where it means what it means alone.
 */
export function joinCommands(commands: readonly string[]): string {
  const [only] = commands;
  if (commands.length === 1 && only !== undefined) return only;
  const needsBraces = (command: string) => /[\n;#&]|\|\|/.test(command.replaceAll(/&&|[<>]&|&>/g, ''));
  return commands.map((command) => (needsBraces(command) ? `{ ${command}\n}` : command)).join(' && ');
}
