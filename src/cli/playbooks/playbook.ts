import { type Issue, SetupError } from '../../contract/errors.js';
import { type RunBody, runBody } from '../../contract/executions.js';
import { joinCommands } from './join-commands.js';
import { type PlaybookFields, readFields } from './schema.js';
import { Substitution } from './variables.js';
import { type Problem, YamlDocument, type YamlPath } from './yaml-document.js';

/** The fields of a playbook file, with values for its variables. `timeout` is in seconds. */
export interface Playbook extends PlaybookFields {
  commands: string[];
  secrets: string[];
  env: Record<string, string>;
  /** Names used as `${NAME}`, each once. */
  variables: string[];
}

/** All problems of a playbook, each at `file:line:column`. */
export class PlaybookError extends SetupError {
  readonly issues: Issue[];

  constructor(file: string, issues: Issue[]) {
    super(`${file} has ${issues.length === 1 ? 'a problem' : `${issues.length} problems`}`);
    this.name = 'PlaybookError';
    this.issues = issues;
  }
}

export interface PlaybookOptions {
  /** Values of `${NAME}`. Undefined: substitute nothing, and check no text with a variable. */
  values?: Readonly<Record<string, string>> | undefined;
  /** Keys that flags replace, so that the file's values are ignored. */
  overridden?: readonly string[];
}

/** Parses a playbook. Throws one PlaybookError with all problems, which name `file`. */
export async function parsePlaybook(
  file: string,
  source: string,
  { values, overridden = [] }: PlaybookOptions = {},
): Promise<Playbook> {
  const document = await YamlDocument.parse(source);
  if (document.content === undefined) throw toError(file, document, document.problems);
  const { fields, problems } = readFields(document, overridden);
  const { playbook, problems: more } = substitute(document, fields, new Substitution(source, values));
  const all = [...document.problems, ...problems, ...more];
  if (all.length > 0) throw toError(file, document, all);
  return playbook;
}

function toError(file: string, document: YamlDocument, problems: readonly Problem[]): PlaybookError {
  const issues = [...problems]
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, message }) => {
      const { line, column } = document.locate(offset);
      return { path: `${file}:${line}:${column}`, message };
    });
  return new PlaybookError(file, issues);
}

/** Substitutes the variables of a playbook, and checks the result by the rules of the API. */
function substitute(
  document: YamlDocument,
  fields: PlaybookFields,
  substitution: Substitution,
): { playbook: Playbook; problems: Problem[] } {
  const incomplete = new Set<string>();
  const fill = (text: string, path: YamlPath, bodyPath = path): string => {
    const filled = substitution.fill(text, document.getRange(path));
    if (!filled.isComplete) incomplete.add(bodyPath.join('.'));
    return filled.text;
  };
  const playbook: Playbook = { ...fields, commands: [], secrets: fields.secrets ?? [], env: {}, variables: [] };
  for (const key of ['image', 'git_repo', 'git_ref', 'git_path'] as const) {
    const text = fields[key];
    if (text !== undefined) playbook[key] = fill(text, [key]);
  }
  for (const [name, value] of Object.entries(fields.env ?? {})) playbook.env[name] = fill(value, ['env', name]);
  playbook.commands = (fields.commands ?? []).map((text, n) => fill(text, ['commands', n], ['command']).trim());
  playbook.variables = substitution.names;
  return {
    playbook,
    problems: [
      ...findEmptyCommands(document, playbook),
      ...substitution.getProblems((offset) => document.locate(offset).line),
      ...findContractProblems(document, playbook).filter(({ path }) => !incomplete.has(path)),
    ],
  };
}

const findEmptyCommands = (document: YamlDocument, { commands }: Playbook): Problem[] =>
  commands.flatMap((command, n) =>
    command === '' ? [{ offset: document.getRange(['commands', n]).start, message: 'expected a command' }] : [],
  );

/** Converts a playbook to the body of `POST /api/v1/run`. Throws when variables have no values yet. */
export const toRunBody = (playbook: Playbook): RunBody => runBody.parse(toUncheckedBody(playbook));

const toUncheckedBody = ({ commands, description: _, variables: __, ...body }: Playbook) => ({
  ...body,
  command: joinCommands(commands),
});

/** Finds the values that the API would refuse, with their path in the body, e.g. `secrets.1`. */
function findContractProblems(document: YamlDocument, playbook: Playbook): (Problem & { path: string })[] {
  // Missing and empty commands are reported already.
  const command = joinCommands(playbook.commands.filter((text) => text !== '')) || 'true';
  const body = { ...toUncheckedBody(playbook), command };
  const issues = getIssues(body);
  // zod compares fields (git_ref needs git_repo) only in a body without other issues, so check the rest again.
  const invalid = new Set(issues.map(({ path }) => String(path[0])));
  const rest = Object.fromEntries(Object.entries(body).filter(([key]) => !invalid.has(key)));
  if (invalid.size > 0 && !invalid.has('git_repo')) issues.push(...getIssues({ ...rest, command: 'true' }));
  return issues.map((issue) => {
    const [field = '', ...path] = issue.path;
    const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    return {
      path: issue.path.join('.'),
      offset:
        field === 'env'
          ? document.getKeyOffset(issue.path)
          : document.getRange([field === 'command' ? 'commands' : field, ...path]).start,
      message: `${String(issue.path.at(-1))}: ${message}`,
    };
  });
}

const getIssues = (body: unknown) => runBody.safeParse(body).error?.issues ?? [];
