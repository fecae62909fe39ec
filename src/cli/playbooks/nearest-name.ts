/** How many letters have to be put in, taken out or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const changed = (row[j] ?? 0) + (letter === b[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Which of `known` was probably meant; undefined when none is near. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const word = given.toLowerCase();
  const near = known
    .map((name) => {
      const holds = Math.min(word.length, name.length) > 2 && (name.includes(word) || word.includes(name));
      return { name, far: holds ? 1 : distance(word, name) };
    })
    .filter(({ name, far }) => far <= Math.max(1, Math.floor(name.length / 3)));
  return near.sort((a, b) => a.far - b.far)[0]?.name;
}
