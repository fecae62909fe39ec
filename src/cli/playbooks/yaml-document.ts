import type { Document, Node, Pair } from 'yaml';

/** A problem and where in the text it is, counted in characters from 0. */
export interface Problem {
  at: number;
  message: string;
}

/** What stands in a YAML file, with where it stands. All scalars are text. */
export type Tree = { at: number; end: number } & (
  | { kind: 'text'; text: string }
  | { kind: 'list'; items: Tree[] }
  | { kind: 'map'; entries: { key: Tree; value: Tree }[] }
);

export interface YamlFile {
  /** Undefined when the text is no YAML, or empty. */
  tree: Tree | undefined;
  problems: Problem[];
  place(at: number): { line: number; column: number };
}

/** Lists in maps in lists… are nobody's playbook; the limit keeps aliases from blowing up. */
const maxDepth = 3;

/**
 * Reads YAML with the failsafe schema: a scalar is the text as it was written, so that `git_ref: 1.10` and
 * `VERBOSE: true` mean what they show.
 */
export async function readYaml(text: string): Promise<YamlFile> {
  const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter: lines, schema: 'failsafe', prettyErrors: false });
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos: [at] }) => ({
    at,
    message: code === 'MULTIPLE_DOCS' ? 'a file holds one playbook: `---` begins another' : message,
  }));

  // What a broken text seems to say is not worth a complaint.
  let isBroken = document.errors.some(({ code }) => code !== 'DUPLICATE_KEY');

  const isNode = (value: unknown): value is Node => isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
  const treeOf = (value: unknown, outer: { at: number; end: number }, depth = 0): Tree => {
    const [at, end] = (isNode(value) && value.range) || [outer.at, outer.end];
    const place = { at, end };
    const found = isAlias(value) ? value.resolve(document) : value;
    if (isAlias(value) && !found) {
      problems.push({ at, message: `there is no anchor &${value.source}` });
      isBroken = true;
    }
    if (isScalar(found)) {
      // The text of an anchor stands where the anchor is.
      const own = isAlias(value) && found.range ? { at: found.range[0], end: found.range[1] } : place;
      return { kind: 'text', text: String(found.value ?? ''), ...own };
    }
    if (isSeq(found) && depth < maxDepth)
      return { kind: 'list', items: found.items.map((item) => treeOf(item, place, depth + 1)), ...place };
    if (isMap(found) && depth < maxDepth) {
      const pairs: Pair[] = found.items;
      const entries = pairs.map((pair) => {
        const key = treeOf(pair.key, place, depth + 1);
        return { key, value: treeOf(pair.value, key, depth + 1) };
      });
      return { kind: 'map', entries, ...place };
    }
    return { kind: 'list', items: [], ...place };
  };
  const tree = document.contents ? treeOf(document.contents, { at: 0, end: text.length }) : undefined;
  return {
    tree: isBroken ? undefined : tree,
    problems,
    place(at) {
      const { line, col } = lines.linePos(at);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    },
  };
}
