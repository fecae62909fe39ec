/** Joins commands to stop at the first failure: `a`, `b` → `a && b`. Puts lists in braces: `a; b` → `{ a; b\n}`. */
export function joinCommands(commands: readonly string[]): string {
  const [first] = commands;
  if (commands.length === 1 && first !== undefined) return first;
  return commands.map((command) => (needsBraces(command) ? `{ ${command}\n}` : command)).join(' && ');
}

/** Ignores `&&` and redirections such as `2>&1`. */
const needsBraces = (command: string) => /[\n;#&]|\|\|/.test(command.replaceAll(/&&|[<>]&|&>/g, ''));
