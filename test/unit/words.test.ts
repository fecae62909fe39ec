import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { words }: { words: string[] } = JSON.parse(
  readFileSync(path.join(root, 'test/unit/private-words.json'), 'utf8'),
);

/** Returns the files below `directory` that people wrote, with `/` in their names. */
function filesBelow(directory: string, pattern: RegExp): string[] {
  return readdirSync(path.join(root, directory), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(directory, name.split(path.sep).join('/')))
    .filter((name) => pattern.test(name) && !name.includes('/generated/'));
}

const texts = [
  ...['src', 'test', 'examples', 'scripts', 'docs', 'prisma'].flatMap((directory) =>
    filesBelow(directory, /\.(ts|tsx|js|mjs|sh|md|yaml|prisma|sql)$/),
  ),
  ...readdirSync(root).filter((name) => /\.(md|js|yaml)$/.test(name) && statSync(path.join(root, name)).isFile()),
].map((name) => ({ name, lines: readFileSync(path.join(root, name), 'utf8').split('\n') }));

/** Splits `claimJobs` and `claim_jobs` into `claim` and `jobs`. */
const splitWords = (line: string) =>
  line
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);

describe('the project', () => {
  it('uses no private word', () => {
    expect(texts.length).toBeGreaterThan(400);
    const found = texts.flatMap(({ name, lines }) =>
      lines.flatMap((line, n) =>
        splitWords(line)
          .filter((word) => words.includes(word))
          .map((word) => `${name}:${n + 1} ${word}`),
      ),
    );
    expect(found).toEqual([]);
  });

  it('refers to no document that it does not hold', () => {
    const held = new Set(texts.map(({ name }) => path.posix.basename(name)).filter((name) => name.endsWith('.md')));
    const found = texts.flatMap(({ name, lines }) =>
      lines.flatMap((line, n) =>
        [...line.matchAll(/\b[\w-]+\.md\b/g)]
          .map(([document]) => document)
          .filter((document) => !held.has(document))
          .map((document) => `${name}:${n + 1} ${document}`),
      ),
    );
    expect(found).toEqual([]);
  });
});
