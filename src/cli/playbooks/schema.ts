import { z } from 'zod';
import { parseDuration } from '../../platform/duration.js';
import { findNearestName } from './nearest-name.js';
import type { Problem, YamlDocument } from './yaml-document.js';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = z.string({
  error: ({ input }) => `expected text${isRecord(input) ? '; put text with `: ` in quotes' : ''}`,
});

const list = (key: string) =>
  z.array(text, {
    error: ({ input }) =>
      input === undefined
        ? `\`${key}\` is missing: expected a list of texts`
        : `expected a list under \`${key}\`, one \`- …\` a line`,
  });

/** Seconds: `90` → 90, `1500ms` → 2. */
const seconds = text.transform((value, context) => {
  const duration = /^\d{1,9}$/.test(value) ? Number(value) : (parseDuration(value) ?? Number.NaN) / 1000;
  if (!Number.isNaN(duration)) return Math.ceil(duration);
  const message = `expected a duration, for example 10m, or a number of seconds: "${value}"`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** The schema bounds the depth of values, so that nested aliases cannot multiply the work. */
const shape = {
  description: text.optional(),
  image: text.optional(),
  git_repo: text.optional(),
  git_ref: text.optional(),
  git_path: text.optional(),
  secrets: list('secrets').optional(),
  env: z.record(z.string(), text, { error: 'expected `NAME: value` lines under `env`' }).optional(),
  commands: list('commands').refine((items) => items.length > 0, '`commands` is empty'),
  timeout: seconds.optional(),
};
const playbookKeys = Object.keys(shape);
const playbookSchema = z.strictObject(shape, {
  error: `expected \`key: value\` lines, with at least \`commands\`; keys are ${playbookKeys.join(', ')}`,
});

export type PlaybookFields = Partial<z.infer<typeof playbookSchema>>;

/** Reads the fields of a playbook, apart from `ignored` keys. Returns the valid fields beside the problems of the rest. */
export function readFields(
  document: YamlDocument,
  ignored: readonly string[],
): { fields: PlaybookFields; problems: Problem[] } {
  const content = omit(document.content, ignored);
  const { error, data } = playbookSchema.safeParse(content);
  if (!error) return { fields: data, problems: [] };
  const problems = error.issues.flatMap((issue) => toProblems(document, issue));
  const invalidKeys = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : issue.path.slice(0, 1).map(String),
  );
  const fields = isRecord(content) ? playbookSchema.partial().parse(omit(content, invalidKeys)) : {};
  return { fields, problems };
}

const omit = (content: unknown, keys: readonly string[]): unknown =>
  isRecord(content) ? Object.fromEntries(Object.entries(content).filter(([key]) => !keys.includes(key))) : content;

function toProblems(document: YamlDocument, issue: z.core.$ZodIssue): Problem[] {
  if (issue.code !== 'unrecognized_keys')
    return [{ offset: document.getRange(issue.path).start, message: issue.message }];
  return issue.keys.map((key) => {
    const nearest = findNearestName(key, playbookKeys);
    const advice = nearest ? `did you mean \`${nearest}\`?` : `known are ${playbookKeys.join(', ')}`;
    return { offset: document.getKeyOffset([key]), message: `unknown key \`${key}\`: ${advice}` };
  });
}
