import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { useFakeExecutionsApi } from '../../support/commands/use-fake-executions-api.js';

const { api, directory, run } = useFakeExecutionsApi();
const playbooks = () => path.join(directory(), 'home/playbooks');

beforeAll(async () => {
  await mkdir(playbooks(), { recursive: true });
  const text = `description: A greeting
image: a/b:\${TAG}
secrets: [s1]
env: {WHO: "\${NAME}", KEPT: "1"}
timeout: 5m
commands:
  - echo "$WHO"
  - echo $\${NAME} \${NAME}
`;
  await writeFile(path.join(playbooks(), 'greet.yaml'), text);
  await writeFile(path.join(playbooks(), 'broken.yml'), 'comands: [a]\n');
  await writeFile(path.join(playbooks(), 'notes.txt'), 'no playbook');
});

describe('playbook run', () => {
  it('runs the commands of the file with the flags added', async () => {
    api().plan({ lines: ['hello'], end: { status: 'FAILED', exitCode: 5 } });
    const { code, stdout } = await run([
      ...['playbook', 'run', 'greet', '--env', 'NAME=reef', '--env', 'TAG=2', '--secret', 's2', '--secret', 's1'],
    ]);
    expect([code, stdout]).toEqual([5, expect.stringMatching(/^ {3}1 {2}[\d:]{8} {2}hello\n$/)]);
    expect(api().last()?.body).toEqual({
      image: 'a/b:2',
      secrets: ['s1', 's2'],
      env: { WHO: 'reef', KEPT: '1', NAME: 'reef', TAG: '2' },
      timeout: 300,
      command: `echo "$WHO" && echo \${NAME} reef`,
    });
  });

  it('takes a path, and prefers flags over the file', async () => {
    const file = path.join(playbooks(), 'greet.yaml');
    const flags = [
      '--env',
      'NAME=reef',
      '--env',
      'WHO=else',
      '--image',
      'c:1',
      '--timeout',
      '10s',
      '--detach',
      '--json',
    ];
    const { stdout } = await run(['playbook', 'run', file, ...flags]);
    expect(JSON.parse(stdout).execution_id).toBe(api().last()?.state.execution_id);
    expect(api().last()?.body).toMatchObject({ image: 'c:1', timeout: 10, env: { WHO: 'else' } });
  });

  it('prints every problem with its line, and runs nothing', async () => {
    const before = api().requests.length;
    const { code, stdout, stderr } = await run(['playbook', 'run', 'greet']);
    expect([code, stdout, api().requests.length]).toEqual([1, '', before]);
    expect(stderr).toMatch(/^Error: \S+\/home\/playbooks\/greet\.yaml has 2 problems\n/);
    expect(stderr).toMatch(
      /^ {2}\S+\/home\/playbooks\/greet\.yaml:2:12: \$\{TAG\} has no value: give a value with --env TAG=/m,
    );
    expect(stderr).toMatch(
      /^ {2}\S+\/home\/playbooks\/greet\.yaml:4:13: \$\{NAME\} has no value.*\(also in line 8\)$/m,
    );
  });
});

describe('playbook show', () => {
  it('prints the commands and the variables', async () => {
    const { stdout } = await run(['playbook', 'show', 'greet']);
    expect(stdout).toMatch(/^Variables +--env TAG=… --env NAME=…$/m);
    expect(stdout).toContain('$ echo "$WHO"\n');
  });

  it('suggests the nearest name for an unknown name', async () => {
    const { code, stderr } = await run(['playbook', 'show', 'gret']);
    expect([code, stderr]).toEqual([1, `Error: There is no playbook gret in ${playbooks()}\nDid you mean greet?\n`]);
    expect((await run(['playbook', 'run', './nothing.yaml'])).stderr).toContain('there is no such file');
  });
});

describe('playbook list', () => {
  it('prints every playbook, and the problems of invalid playbooks', async () => {
    const { code, stdout, stderr } = await run(['playbook', 'list']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^greet +A greeting +TAG, NAME$/m)]);
    expect(stdout).toMatch(/^broken +invalid: 2 problems$/m);
    expect(stdout).not.toContain('notes');
    expect(stderr).toContain('home/playbooks/broken.yml:1:1: unknown key `comands`: did you mean `commands`?');
    const empty = await run(['playbook', 'list', '--json'], { REEFGUIDE_HOME: path.join(directory(), 'empty') });
    expect(JSON.parse(empty.stdout)).toEqual({ playbooks: [] });
  });
});
