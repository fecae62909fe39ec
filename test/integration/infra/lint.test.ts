import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Synthesised, synthesiseVariants, type Variant, variantNames } from '../../support/templates.js';

const installed = spawnSync('cfn-lint', ['--version']).status === 0;
if (!installed) console.log('Skipping cfn-lint, which is not installed');

let all: Record<Variant, Synthesised>;
beforeAll(async () => {
  all = await synthesiseVariants();
}, 120_000);

describe('cfn-lint', () => {
  (installed ? it : it.skip)(
    'reports nothing for any template',
    () => {
      const files = variantNames.map((variant) => all[variant].file);
      const { stdout, stderr } = spawnSync('cfn-lint', ['--regions', 'ap-southeast-2', '--', ...files], {
        encoding: 'utf8',
      });
      expect(stdout + stderr).toBe('');
    },
    120_000,
  );
});
