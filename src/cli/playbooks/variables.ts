import type { Problem } from './yaml-document.js';

/** `${NAME}` is ours; `$${` stands for `${`. Everything else, such as `$HOME` and `${HOME:-x}`, is the shell's. */
const pattern = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

interface Text {
  text: string;
  at: number;
  end: number;
}

/**
 * Substitutes `${NAME}` in the texts of a file whose whole text is `source`. Without `values` they are not known yet:
 * everything stays as it is.
 */
export function createSubstitution(source: string, values: Readonly<Record<string, string>> | undefined) {
  const names = new Set<string>();
  const missing = new Map<string, number[]>();
  return {
    /** `open`: a value is not known, so that the text cannot be checked. */
    fill({ text, at, end }: Text): { text: string; open: boolean } {
      // Quotes and folds stand between the text and its place in the file, but split no variable.
      const places = [...source.slice(at, end).matchAll(pattern)].filter(([, name]) => name !== undefined);
      let count = 0;
      let open = false;
      const filled = text.replaceAll(pattern, (found: string, name: string | undefined) => {
        if (name === undefined) return '${';
        names.add(name);
        const place = places[count];
        count += 1;
        const value = values && Object.hasOwn(values, name) ? values[name] : undefined;
        if (value !== undefined) return value;
        open = true;
        missing.set(name, [...(missing.get(name) ?? []), place?.[1] === name ? at + place.index : at]);
        return found;
      });
      return { text: values ? filled : text, open };
    },
    /** Every name that was met, each once. */
    names: () => [...names],
    /** One problem for each name without a value, at its first place. */
    problems(lineOf: (at: number) => number): Problem[] {
      if (!values) return [];
      return [...missing].map(([name, [first = 0, ...more]]) => {
        const others = [...new Set(more.map(lineOf))].filter((line) => line !== lineOf(first));
        const also = others.length === 0 ? '' : ` (also in line ${others.join(', ')})`;
        const message = `\${${name}} has no value: give it with --env ${name}=…, or write $\${${name}} to leave it to the shell`;
        return { at: first, message: message + also };
      });
    },
  };
}
