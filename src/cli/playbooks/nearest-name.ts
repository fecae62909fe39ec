import { distance } from 'fastest-levenshtein';

/** Finds the name that `typed` probably means: `comands` → `commands`, `repo` → `git_repo`. Returns undefined without one. */
export function findNearestName(typed: string, names: readonly string[]): string | undefined {
  const word = typed.toLowerCase();
  return names
    .map((name) => ({ name, edits: countEdits(word, name) }))
    .filter(({ name, edits }) => edits <= Math.max(1, Math.floor(name.length / 3)))
    .sort((a, b) => a.edits - b.edits)[0]?.name;
}

/** Counts the letters to change. A word inside the name, or around the name, counts as one edit. */
function countEdits(word: string, name: string): number {
  const isPart = Math.min(word.length, name.length) > 2 && (name.includes(word) || word.includes(name));
  return isPart ? 1 : distance(word, name);
}
