// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how playbooks write their variables.
import { describe, expect, it } from '@jest/globals';
import { explainError } from '../../../../src/cli/output/errors.js';
import {
  PlaybookError,
  type PlaybookOptions,
  parsePlaybook,
  toRunBody,
} from '../../../../src/cli/playbooks/playbook.js';

/** `line:column message` of each problem. */
async function findProblems(text: string, options: PlaybookOptions = { values: {} }): Promise<string[]> {
  try {
    await parsePlaybook('p.yaml', text, options);
    return [];
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    return error.issues.map(({ path, message }) => `${path.replace(/^p\.yaml:/, '')} ${message}`);
  }
}
const parseBody = async (text: string, values: Record<string, string> = {}) =>
  toRunBody(await parsePlaybook('p.yaml', text, { values }));

const completePlaybook = `
description: Report of the day
image: ghcr.io/example/report:\${TAG}
git_repo: https://github.com/example/\${REPO}.git
git_ref: 1.10
git_path: reports/daily
secrets: [data-token, other.token]
timeout: 1h 30m
env:
  REGION: \${REGION}
  VERBOSE: true
  PORT: 8080
  EMPTY:
commands:
  - make "\${REGION}"
  - echo done
`;

describe('parsePlaybook', () => {
  it('reads every field into the body of a run', async () => {
    expect(await parseBody(completePlaybook, { TAG: '2.0', REPO: 'reports', REGION: 'Cairns' })).toEqual({
      image: 'ghcr.io/example/report:2.0',
      git_repo: 'https://github.com/example/reports.git',
      git_ref: '1.10',
      git_path: 'reports/daily',
      secrets: ['data-token', 'other.token'],
      timeout: 5400,
      env: { REGION: 'Cairns', VERBOSE: 'true', PORT: '8080', EMPTY: '' },
      command: 'make "Cairns" && echo done',
    });
  });

  it('returns the texts and the variables without values', async () => {
    expect(await parsePlaybook('p.yaml', completePlaybook)).toMatchObject({
      description: 'Report of the day',
      image: 'ghcr.io/example/report:${TAG}',
      commands: ['make "${REGION}"', 'echo done'],
      variables: ['TAG', 'REPO', 'REGION'],
    });
  });

  it.each([
    ['0', 0],
    ['90', 90],
    ['10m', 600],
    ['1500ms', 2],
  ])('reads the timeout %s as %d seconds', async (text, seconds) => {
    expect((await parseBody(`timeout: ${text}\ncommands: [a]`)).timeout).toBe(seconds);
  });

  it('resolves anchors and aliases', async () => {
    expect(await parseBody('env: {A: &a "1", B: *a}\ncommands: [a]')).toMatchObject({ env: { A: '1', B: '1' } });
  });

  it('reads Windows line endings', async () => {
    expect((await parseBody('commands:\r\n  - |\r\n    a\r\n    b\r\n')).command).toBe('a\nb');
  });
});

describe('parsePlaybook: variables', () => {
  it.each<[string, string]>([
    ['echo ${NAME}', 'echo reef'],
    ['${NAME}${NAME}', 'reefreef'],
    ['echo $${NAME}', 'echo ${NAME}'],
    ['echo $$${NAME}', 'echo $${NAME}'],
    ['echo $NAME $$ $(date) ${NAME:-x} ${#NAME} ${1} $${', 'echo $NAME $$ $(date) ${NAME:-x} ${#NAME} ${1} ${'],
    ['echo ${DOLLAR}', 'echo $& ${NAME}'],
    ['echo ${EMPTY}.', 'echo .'],
  ])('substitutes %s as %s', async (command, filled) => {
    const values = { NAME: 'reef', DOLLAR: '$& ${NAME}', EMPTY: '' };
    expect((await parseBody(`commands:\n  - '${command}'\n`, values)).command).toBe(filled);
  });

  it.each([
    ['commands:\n  - echo ${A}', '2:10'],
    ['commands:\n  - "say \\"${A}\\""', '2:12'],
    ['commands:\n  - |\n    one\n    two ${A}', '4:9'],
    ['commands:\n  - >-\n    one $${A}\n    two ${A}', '4:9'],
    ['commands: [a]\nenv:\n  X: ${A}', '3:6'],
    ['commands: [a]\nimage: x:${A}', '2:10'],
    ['commands: [a]\ngit_repo: ${A}', '2:11'],
    ['commands: [a]\ngit_repo: https://a/b\ngit_ref: ${A}', '3:10'],
    ['commands: [a]\ngit_repo: https://a/b\ngit_path: ${A}', '3:11'],
    ['commands: [a]\nenv: {X: &x "${A}", Y: *x}', '2:14'],
  ])('locates a variable without a value: %j at %s', async (text, place) => {
    expect(await findProblems(text)).toEqual([expect.stringMatching(`^${place} .*--env A=`)]);
  });

  it('reports a variable without a value once, with its other lines', async () => {
    expect(await findProblems('commands:\n  - a ${A}\n  - b ${A} ${A}\n  - c ${B}\n')).toEqual([
      expect.stringMatching(/^2:7 \$\{A\} has no value.*\(also in line 3\)$/),
      expect.stringMatching(/^4:7 \$\{B\} has no value.*--env B=….*\$\$\{B\}/),
    ]);
  });

  it('finds no value in the names of the prototype', async () => {
    expect(await findProblems('commands: ["${constructor}"]')).toEqual([expect.stringContaining('--env constructor=')]);
  });

  it('ignores variables in overridden fields', async () => {
    const text = 'image: x:${A}\ntimeout: never\ncommands: [a]';
    expect(await findProblems(text, { values: {}, overridden: ['image', 'timeout'] })).toEqual([]);
  });

  it('checks substituted texts by the rules of the API', async () => {
    const text = 'image: x:${TAG}\ncommands: [a]';
    expect(await findProblems(text, {})).toEqual([]);
    expect(await findProblems(text, { values: { TAG: 'a b' } })).toEqual([
      expect.stringMatching(/^1:8 image: expected an/),
    ]);
  });
});

describe('parsePlaybook: problems', () => {
  it.each<[string, ...(string | RegExp)[]]>([
    ['', /^1:1 expected `key: value` lines, with at least `commands`/],
    ['# nothing yet\n', /^1:1 expected/],
    ['- a\n', /^1:1 expected/],
    ['just text', /^1:1 expected/],
    ['description: x\n', /^1:1 `commands` is missing/],
    ['commands: []\n', '1:11 `commands` is empty'],
    ['commands: echo\n', /^1:11 expected a list under `commands`/],
    ['commands:\n', /^1:10 expected a list under `commands`/],
    ['commands:\n  - a\n  -\n', /^3:\d expected a command/],
    ['commands:\n  - a\n  - " "\n', '3:5 expected a command'],
    ['commands:\n  - echo a: b\n', '2:5 expected text; put text with `: ` in quotes'],
    ['commands:\n  - [a]\n', '2:5 expected text'],
    ['comands: [a]\n', /^1:1 `commands` is missing/, '1:1 unknown key `comands`: did you mean `commands`?'],
    ['commands: [a]\nrepo: x\n', '2:1 unknown key `repo`: did you mean `git_repo`?'],
    ['commands: [a]\nenvironment: x\n', '2:1 unknown key `environment`: did you mean `env`?'],
    ['commands: [a]\nsecret: x\n', '2:1 unknown key `secret`: did you mean `secrets`?'],
    ['commands: [a]\nTimeOut: 1m\n', '2:1 unknown key `TimeOut`: did you mean `timeout`?'],
    ['commands: [a]\nschedule: x\n', /^2:1 unknown key `schedule`: known are description, image, .*timeout$/],
    ['commands: [a]\ncommands: [b]\n', /^2:1 Map keys must be unique/],
    ['commands: [a]\n---\ncommands: [b]\n', '2:1 expected one playbook in the file: `---` begins another'],
    ['commands: [a\n', /^\d:\d+ Flow sequence/],
    ['\tcommands: [a]\n', '1:1 Tabs are not allowed as indentation'],
    ['commands: [*a]\n', '1:12 there is no anchor &a'],
    [
      'a: &a [x]\nb: &b [*a, *a]\ncommands: [*b]\n',
      /^3:12 expected text/,
      /^1:1 unknown key `a`/,
      /^2:1 unknown key `b`/,
    ],
    ['commands: [a]\ntimeout: !!int 5\n', /^2:10 Unresolved tag/],
    ['commands: [a]\ntimeout: soon\n', '2:10 expected a duration, for example 10m, or a number of seconds: "soon"'],
    ['commands: [a]\ntimeout: 8d\n', /^2:10 timeout: expected at most 604800/],
    ['commands: [a]\nimage: no image\n', '2:8 image: expected an image, for example ubuntu:24.04'],
    ['commands: [a]\nimage: [x]\n', '2:8 expected text'],
    ['commands: [a]\ngit_ref: main\n', '2:10 git_ref: needs git_repo'],
    ['commands: [a]\ngit_repo: x\ngit_ref: main\n', /^2:11 git_repo: expected the address of a Git/],
    ['commands: [a]\ngit_repo: https://a/b\ngit_path: ../c\n', /^3:11 git_path: expected a path inside/],
    ['commands: [a]\nsecrets: token\n', /^2:10 expected a list under `secrets`/],
    ['commands: [a]\nsecrets:\n  - ok\n  - no/slash\n', /^4:5 1: expected letters, digits/],
    ['commands: [a]\nenv: [A=1]\n', '2:6 expected `NAME: value` lines under `env`'],
    ['commands: [a]\nenv:\n  A: {b: c}\n', /^3:6 expected text/],
    ['commands: [a]\nenv:\n  A: 1\n  b-c: 2\n', '4:3 b-c: expected the name of an environment variable'],
    [`commands: [${'a'.repeat(70_000)}]\n`, /^1:11 command: is longer than 65,536/],
  ])('locates the problems of %.60j', async (text, ...expected) => {
    const found = await findProblems(text);
    expect(found).toHaveLength(expected.length);
    for (const one of expected)
      expect(found).toContainEqual(typeof one === 'string' ? one : expect.stringMatching(one));
  });

  it('refuses aliases that multiply or contain themselves', async () => {
    const nested = [...'bcdefghij'].map((name, n) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[n]}`)}]`);
    const text = `a: &a [${Array(9).fill('x')}]\n${nested.join('\n')}\ncommands: [*j]\n`;
    expect(await findProblems(text)).toEqual(['1:1 expected at most 1000 aliases']);
    expect(await findProblems('commands: &a [*a]\n')).toEqual(['1:15 expected text']);
  });

  it('reports all problems in the order of the file', async () => {
    const text = `imgae: x
git_ref: main
timeout: soon
env:
  b-c: \${A}
  D: \${A}
secrets: [a, "b c"]
commands:
  - echo \${B}
`;
    expect((await findProblems(text)).map((problem) => problem.split(' ').slice(0, 2).join(' '))).toEqual([
      '1:1 unknown',
      '2:10 git_ref:',
      '3:10 expected',
      '5:8 ${A}',
      '7:14 1:',
      '9:10 ${B}',
    ]);
  });

  it('appear as lines of an error', async () => {
    const error = await parsePlaybook('dir/p.yaml', 'comands: [a]\n').catch((reason: unknown) => reason);
    expect(explainError(error)).toEqual({
      message: 'dir/p.yaml has 2 problems',
      details: [expect.stringMatching(/^ {2}dir\/p\.yaml:1:1: /), expect.stringMatching(/^ {2}dir\/p\.yaml:1:1: /)],
      exitCode: 1,
    });
  });
});
