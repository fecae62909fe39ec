import type { Problem } from './yaml-document.js';

/** Matches `${NAME}`, and `$${` for a literal `${`. Leaves `$HOME` and `${HOME:-x}` to the shell. */
const pattern = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Substitutes `${NAME}` in texts of the file `source`, or nothing without `values`. Collects names without a value. */
export class Substitution {
  private readonly seen = new Set<string>();
  /** Offsets of each name without a value. */
  private readonly missing = new Map<string, number[]>();

  constructor(
    private readonly source: string,
    private readonly values: Readonly<Record<string, string>> | undefined,
  ) {}

  get names(): string[] {
    return [...this.seen];
  }

  /** Substitutes the variables of a text at `range` in the source. `isComplete` is false when a value is missing. */
  fill(text: string, { start, end }: { start: number; end: number }): { text: string; isComplete: boolean } {
    // Quotes and folds change the text between source and value, but not the order of the variables.
    const matches = [...this.source.slice(start, end).matchAll(pattern)].filter(([, name]) => name !== undefined);
    let isComplete = true;
    const filled = text.replaceAll(pattern, (variable: string, name: string | undefined) => {
      if (name === undefined) return '${';
      const match = matches.shift();
      this.seen.add(name);
      const value = this.values && Object.hasOwn(this.values, name) ? this.values[name] : undefined;
      if (value !== undefined) return value;
      isComplete = false;
      const offset = match?.[1] === name ? start + match.index : start;
      this.missing.set(name, [...(this.missing.get(name) ?? []), offset]);
      return variable;
    });
    return { text: this.values ? filled : text, isComplete };
  }

  /** Returns one problem for each name without a value, at the first use. */
  getProblems(toLine: (offset: number) => number): Problem[] {
    if (!this.values) return [];
    return [...this.missing].map(([name, [offset = 0, ...more]]) => {
      const lines = [...new Set(more.map(toLine))].filter((line) => line !== toLine(offset));
      const also = lines.length === 0 ? '' : ` (also in line ${lines.join(', ')})`;
      const advice = `give a value with --env ${name}=…, or write $\${${name}} to leave the variable to the shell`;
      return { offset, message: `\${${name}} has no value: ${advice}${also}` };
    });
  }
}
