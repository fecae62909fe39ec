import { describe, expect, it } from '@jest/globals';
import type { SourceFile } from '../../../../src/deployment/repository/plan.js';
import {
  parseVariableNames,
  replaceVariables,
  separateVariables,
} from '../../../../src/deployment/repository/substitute.js';

const file = (path: string, content: Buffer | string): SourceFile => ({
  kind: 'file',
  path,
  content: Buffer.from(content),
  executable: false,
});
const contents = (files: SourceFile[]) => files.map((source) => (source.kind === 'file' ? source.content : undefined));
const ref = (inner: string) => `\${${inner}}`;

describe('replaceVariables', () => {
  const env = { A: 'one', EMPTY: '', OTHER: 'x', UMLAUT: 'ü', NESTED: ref('A'), DOLLAR: '$&$1' };
  const variables = new Set(['A', 'EMPTY', 'GONE', 'UMLAUT', 'NESTED', 'DOLLAR', 'constructor']);

  it.each<[string, string]>([
    [ref('A'), 'one'],
    [`x-${ref('A')}-${ref('A')}-y`, 'x-one-one-y'],
    [ref('A:-two'), 'one'],
    [ref('GONE:-two'), 'two'],
    [ref('GONE:-'), ''],
    [ref('GONE:-http://a:1/b-c'), 'http://a:1/b-c'],
    [ref('EMPTY'), ''],
    [ref('EMPTY:-two'), 'two'],
    [ref('UMLAUT'), 'ü'],
    [`ä ${ref('A')}`, 'ä one'],
    [ref('NESTED'), ref('A')],
    [ref('DOLLAR'), '$&$1'],
    [ref('OTHER'), ref('OTHER')],
    [ref('OTHER:-two'), ref('OTHER:-two')],
    ['$A', '$A'],
    [ref('A-two'), ref('A-two')],
    [ref('A '), ref('A ')],
  ])('replaces %s by %s', (text, expected) => {
    const { files, missing } = replaceVariables([file('f', text)], variables, env);
    expect([contents(files)[0]?.toString(), missing]).toEqual([expected, []]);
  });

  it('lists each missing variable once for each file', () => {
    const text = `${ref('GONE')} ${ref('GONE')} ${ref('constructor')}`;
    const { missing } = replaceVariables([file('a', text), file('b', ref('GONE'))], variables, env);
    expect(missing).toEqual([
      { path: 'a', message: 'GONE is not set' },
      { path: 'a', message: 'constructor is not set' },
      { path: 'b', message: 'GONE is not set' },
    ]);
  });

  it('keeps binary files, and every byte of text in another encoding', () => {
    const binary = Buffer.concat([Buffer.from(ref('GONE')), Buffer.from([0])]);
    const latin = Buffer.concat([Buffer.from([0xe9, 0xff, 0x80]), Buffer.from(ref('A'))]);
    const { files, missing } = replaceVariables([file('binary', binary), file('latin', latin)], variables, env);
    expect(missing).toEqual([]);
    expect(contents(files)).toEqual([binary, Buffer.concat([Buffer.from([0xe9, 0xff, 0x80]), Buffer.from('one')])]);
  });

  it('changes nothing without variables', () => {
    const files = [file('a', ref('A'))];
    expect(replaceVariables(files, new Set(), env)).toEqual({ files, missing: [] });
  });
});

describe('substitute.json', () => {
  it('lists variables and is not copied', () => {
    const { files, variables } = separateVariables(
      [file('substitute.json', '{"variables": ["A", "B_1"]}'), file('x/substitute.json', '')],
      'ns/stage/substitute.json',
    );
    expect([files.map(({ path }) => path), [...variables]]).toEqual([['x/substitute.json'], ['A', 'B_1']]);
  });

  it.each(['', '[]', '["A"]', '{}', '{"variables": "A"}', '{"variables": ["A-B"]}', '{"variables": [], "more": 1}'])(
    'is rejected with its path when the content is %j',
    (text) => {
      expect(() => parseVariableNames(Buffer.from(text), 'ns/stage/substitute.json')).toThrow(
        /^Invalid ns\/stage\/substitute.json: /,
      );
    },
  );

  it('is rejected when it is a link', () => {
    expect(() => separateVariables([{ kind: 'link', path: 'substitute.json' }], 'here')).toThrow('not a regular file');
  });
});
