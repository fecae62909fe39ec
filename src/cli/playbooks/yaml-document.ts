import type { Document, LineCounter } from 'yaml';

/** A problem, and its offset in the text in characters from 0. */
export interface Problem {
  offset: number;
  message: string;
}

export type YamlPath = readonly PropertyKey[];

/** Bounds how often aliases repeat their anchors, because nested aliases multiply. */
const maxAliasCount = 1_000;

/** A YAML file that remembers where each value stands. Every scalar is text, so that `git_ref: 1.10` → `'1.10'`. */
export class YamlDocument {
  readonly problems: Problem[];
  /** Objects, arrays and texts; undefined when the text is not valid YAML. */
  readonly content: unknown;

  private constructor(
    private readonly yaml: typeof import('yaml'),
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {
    const errors = [...document.errors.map(toProblem), ...this.findUnresolvedAliases()];
    this.problems = [...errors, ...document.warnings.map(toProblem)];
    if (errors.length > 0) return;
    try {
      this.content = document.toJS({ maxAliasCount });
    } catch {
      this.problems.push({ offset: 0, message: `expected at most ${maxAliasCount} aliases` });
    }
  }

  static async parse(text: string): Promise<YamlDocument> {
    const yaml = await import('yaml');
    const lineCounter = new yaml.LineCounter();
    const document = yaml.parseDocument(text, { lineCounter, schema: 'failsafe', prettyErrors: false });
    return new YamlDocument(yaml, document, lineCounter);
  }

  /** Returns the range of a value, of the text that an alias repeats, or of the nearest parent of a missing value. */
  getRange(path: YamlPath): { start: number; end: number } {
    const { isAlias, isNode, isScalar } = this.yaml;
    for (let length = path.length; length >= 0; length -= 1) {
      const node = this.document.getIn(path.slice(0, length), true);
      const anchor = isAlias(node) ? node.resolve(this.document) : undefined;
      const target = isScalar(anchor) ? anchor : node;
      if (isNode(target) && target.range) return { start: target.range[0], end: target.range[1] };
    }
    return { start: 0, end: 0 };
  }

  /** Returns the offset of a key, e.g. of `A` in `env: {A: 1}` for `['env', 'A']`. */
  getKeyOffset(path: YamlPath): number {
    const { isMap, isScalar } = this.yaml;
    const map = this.document.getIn(path.slice(0, -1), true);
    const pairs = isMap(map) ? map.items : [];
    const key = pairs.map((pair) => pair.key).find((node) => isScalar(node) && node.value === path.at(-1));
    return (isScalar(key) ? key.range?.[0] : undefined) ?? this.getRange(path).start;
  }

  /** Converts an offset to a line and column, both from 1. */
  locate(offset: number): { line: number; column: number } {
    const { line, col } = this.lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  private findUnresolvedAliases(): Problem[] {
    const problems: Problem[] = [];
    this.yaml.visit(this.document, {
      Alias: (_key, alias) => {
        if (alias.resolve(this.document)) return;
        problems.push({ offset: alias.range?.[0] ?? 0, message: `there is no anchor &${alias.source}` });
      },
    });
    return problems;
  }
}

const toProblem = ({ code, message, pos: [offset] }: Document['errors' | 'warnings'][number]): Problem => ({
  offset,
  message: code === 'MULTIPLE_DOCS' ? 'expected one playbook in the file: `---` begins another' : message,
});
