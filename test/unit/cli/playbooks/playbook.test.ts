// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how playbooks write their variables.
import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { explain } from '../../../../src/cli/output/errors.js';
import {
  joinCommands,
  type Options,
  PlaybookError,
  parsePlaybook,
  runBodyOf,
} from '../../../../src/cli/playbooks/playbook.js';

/** `line:column message` of each problem. */
async function problems(text: string, options: Options = { values: {} }): Promise<string[]> {
  try {
    await parsePlaybook('p.yaml', text, options);
    return [];
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    return error.issues.map(({ path, message }) => `${path.replace(/^p\.yaml:/, '')} ${message}`);
  }
}
const bodyOf = async (text: string, values: Record<string, string> = {}) =>
  runBodyOf(await parsePlaybook('p.yaml', text, { values }));

const whole = `
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

describe('a playbook', () => {
  it('becomes the body of a run, with all that it names', async () => {
    expect(await bodyOf(whole, { TAG: '2.0', REPO: 'reports', REGION: 'Cairns' })).toEqual({
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

  it('shows itself, and the variables it wants, before they have values', async () => {
    expect(await parsePlaybook('p.yaml', whole)).toMatchObject({
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
  ])('times out after %s: %d seconds', async (text, seconds) => {
    expect((await bodyOf(`timeout: ${text}\ncommands: [a]`)).timeout).toBe(seconds);
  });

  it('knows anchors and aliases', async () => {
    expect(await bodyOf('env: {A: &a "1", B: *a}\ncommands: [a]')).toMatchObject({ env: { A: '1', B: '1' } });
  });

  it('reads lines that end as on Windows', async () => {
    expect((await bodyOf('commands:\r\n  - |\r\n    a\r\n    b\r\n')).command).toBe('a\nb');
  });
});

describe('variables', () => {
  it.each<[string, string]>([
    ['echo ${NAME}', 'echo reef'],
    ['${NAME}${NAME}', 'reefreef'],
    ['echo $${NAME}', 'echo ${NAME}'],
    ['echo $$${NAME}', 'echo $${NAME}'],
    ['echo $NAME $$ $(date) ${NAME:-x} ${#NAME} ${1} $${', 'echo $NAME $$ $(date) ${NAME:-x} ${#NAME} ${1} ${'],
    ['echo ${DOLLAR}', 'echo $& ${NAME}'],
    ['echo ${EMPTY}.', 'echo .'],
  ])('%s becomes %s', async (command, filled) => {
    const values = { NAME: 'reef', DOLLAR: '$& ${NAME}', EMPTY: '' };
    expect((await bodyOf(`commands:\n  - '${command}'\n`, values)).command).toBe(filled);
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
  ])('one without a value is a problem where it stands: %j at %s', async (text, place) => {
    expect(await problems(text)).toEqual([expect.stringMatching(`^${place} .*--env A=`)]);
  });

  it('one that is missing in many places is one problem', async () => {
    expect(await problems('commands:\n  - a ${A}\n  - b ${A} ${A}\n  - c ${B}\n')).toEqual([
      expect.stringMatching(/^2:7 \$\{A\} has no value.*\(also in line 3\)$/),
      expect.stringMatching(/^4:7 \$\{B\} has no value.*--env B=….*\$\$\{B\}/),
    ]);
  });

  it('names of the prototype have no value either', async () => {
    expect(await problems('commands: ["${constructor}"]')).toEqual([expect.stringContaining('--env constructor=')]);
  });

  it('stand for nothing in what is overridden', async () => {
    const text = 'image: x:${A}\ntimeout: never\ncommands: [a]';
    expect(await problems(text, { values: {}, overridden: ['image', 'timeout'] })).toEqual([]);
  });

  it('are checked by the rules of the API once they are filled in', async () => {
    const text = 'image: x:${TAG}\ncommands: [a]';
    expect(await problems(text, {})).toEqual([]);
    expect(await problems(text, { values: { TAG: 'a b' } })).toEqual([
      expect.stringMatching(/^1:8 image: expected an/),
    ]);
  });
});

describe('a problem is told with its place', () => {
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
    ['commands:\n  - echo a: b\n', '2:5 expected text; text that holds `: ` stands in quotes'],
    ['commands:\n  - [a]\n', '2:5 expected text'],
    ['comands: [a]\n', /^1:1 `commands` is missing/, '1:1 unknown key `comands`: did you mean `commands`?'],
    ['commands: [a]\nrepo: x\n', '2:1 unknown key `repo`: did you mean `git_repo`?'],
    ['commands: [a]\nenvironment: x\n', '2:1 unknown key `environment`: did you mean `env`?'],
    ['commands: [a]\nsecret: x\n', '2:1 unknown key `secret`: did you mean `secrets`?'],
    ['commands: [a]\nTimeOut: 1m\n', '2:1 unknown key `TimeOut`: did you mean `timeout`?'],
    ['commands: [a]\nschedule: x\n', /^2:1 unknown key `schedule`: known are description, image, .*timeout$/],
    ['commands: [a]\ncommands: [b]\n', /^2:1 Map keys must be unique/],
    ['commands: [a]\n---\ncommands: [b]\n', '2:1 a file holds one playbook: `---` begins another'],
    ['commands: [a\n', /^\d:\d+ Flow sequence/],
    ['\tcommands: [a]\n', '1:1 Tabs are not allowed as indentation'],
    ['commands: [*a]\n', '1:12 there is no anchor &a'],
    ['commands: [a]\ntimeout: !!int 5\n', /^2:10 Unresolved tag/],
    ['commands: [a]\ntimeout: soon\n', '2:10 soon is no duration: write for example 10m, or a number of seconds'],
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
  ])('%.60j', async (text, ...expected) => {
    const found = await problems(text);
    expect(found).toHaveLength(expected.length);
    for (const one of expected)
      expect(found).toContainEqual(typeof one === 'string' ? one : expect.stringMatching(one));
  });

  it('and all together, from the top to the bottom', async () => {
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
    expect((await problems(text)).map((problem) => problem.split(' ').slice(0, 2).join(' '))).toEqual([
      '1:1 unknown',
      '2:10 git_ref:',
      '3:10 soon',
      '5:8 ${A}',
      '7:14 1:',
      '9:10 ${B}',
    ]);
  });

  it('in the lines that a command prints', async () => {
    const error = await parsePlaybook('dir/p.yaml', 'comands: [a]\n').catch((reason: unknown) => reason);
    expect(explain(error).lines).toEqual([
      'Error: dir/p.yaml has 2 problems',
      expect.stringMatching(/^ {2}dir\/p\.yaml:1:1: /),
      expect.stringMatching(/^ {2}dir\/p\.yaml:1:1: /),
    ]);
  });
});

describe('joined commands', () => {
  const run = (...commands: string[]) => {
    const { stdout, status } = spawnSync('sh', ['-c', joinCommands(commands)], { encoding: 'utf8' });
    return [stdout, status];
  };

  it.each([
    [['a'], 'a'],
    [['a', 'b', 'c'], 'a && b && c'],
    [['a | b', 'c && d', 'e 2>&1', 'f &> g'], 'a | b && c && d && e 2>&1 && f &> g'],
    [['a; b'], 'a; b'],
    [['a; b', 'c'], '{ a; b\n} && c'],
    [['a || b', 'c'], '{ a || b\n} && c'],
    [['a # why', 'b'], '{ a # why\n} && b'],
    [['a &', 'b'], '{ a &\n} && b'],
    [['a\nb', 'c'], '{ a\nb\n} && c'],
  ])('%j', (commands, joined) => {
    expect(joinCommands(commands)).toBe(joined);
  });

  it.each<[string, string[], string, number]>([
    ['stop at the first that fails', ['echo a', 'false', 'echo b; echo c'], 'a\n', 1],
    ['share a working directory and variables', ['cd /; X=1', 'pwd; echo $X'], '/\n1\n', 0],
    ['go on after a comment', ['echo a # b', 'echo c'], 'a\nc\n', 0],
    ['go on after a fallback', ['false || echo a', 'echo b'], 'a\nb\n', 0],
    ['fall back only for themselves', ['false', 'true || echo a'], '', 1],
    ['hold here-documents', ['cat <<END\na\nEND', 'echo b'], 'a\nb\n', 0],
  ])('%s', (_, commands, stdout, status) => {
    expect(run(...commands)).toEqual([stdout, status]);
  });
});

describe('the example playbooks', () => {
  it('are in order and run on this machine', async () => {
    const folder = new URL('../../../../examples/playbooks/', import.meta.url);
    const files = (await readdir(folder)).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const text = await readFile(new URL(file, folder), 'utf8');
      const { command, env } = runBodyOf(await parsePlaybook(file, text, { values: { NAME: 'reef' } }));
      const { status, stdout } = spawnSync('sh', ['-c', command.replaceAll('sleep 1', ':')], {
        encoding: 'utf8',
        env: { ...process.env, ...env, NAME: 'reef' },
      });
      expect([file, status, stdout]).toEqual([file, 0, expect.stringMatching(/\w/)]);
    }
  });
});
