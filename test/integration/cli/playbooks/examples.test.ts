import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parsePlaybook, toRunBody } from '../../../../src/cli/playbooks/playbook.js';

describe('the example playbooks', () => {
  it('are valid and run on this machine', async () => {
    const directory = new URL('../../../../examples/playbooks/', import.meta.url);
    const files = (await readdir(directory)).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const text = await readFile(new URL(file, directory), 'utf8');
      const { command, env } = toRunBody(await parsePlaybook(file, text, { values: { NAME: 'reef' } }));
      const { status, stdout } = spawnSync('sh', ['-c', command.replaceAll('sleep 1', ':')], {
        encoding: 'utf8',
        env: { ...process.env, ...env, NAME: 'reef' },
      });
      expect([file, status, stdout]).toEqual([file, 0, expect.stringMatching(/\w/)]);
    }
  });
});
