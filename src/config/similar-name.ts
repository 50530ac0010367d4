/** What was probably meant by a name that is none: at most two letters away, or the same but for case and hyphens. */
export function similarName(typed: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, distance: distance(plain(typed), plain(name)) }))
    .filter((one) => one.distance <= Math.min(2, Math.ceil(one.name.length / 3)))
    .sort((one, other) => one.distance - other.distance);
  return best?.name;
}

const plain = (name: string): string => name.slice(0, 64).toLowerCase().replace(/[-_]/g, '');

/** Letters to put in, leave out or change (Levenshtein). */
function distance(one: string, other: string): number {
  let before = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...one].entries()) {
    const now = [row + 1];
    for (const [column, wanted] of [...other].entries())
      now.push(
        Math.min(
          (now[column] ?? 0) + 1,
          (before[column + 1] ?? 0) + 1,
          (before[column] ?? 0) + (letter === wanted ? 0 : 1),
        ),
      );
    before = now;
  }
  return before[other.length] ?? 0;
}
