/** Characters that a person may give a factor's name. */
export const LABEL_MAX_LENGTH = 40;

/** A name as it is stored: NFC, one line, no control or invisible characters, 1 to 40 characters. Undefined when nothing usable is left. */
export function normaliseLabel(raw: string): string | undefined {
  const label = raw
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\s]+/gu, ' ')
    .trim();
  return label.length > 0 && label.length <= LABEL_MAX_LENGTH ? label : undefined;
}

/** The first of "Pixel 9", "Pixel 9 2", ... that none of these factors is called. @param base a normalised name */
export function unusedLabel(base: string, taken: readonly { label: string }[]): string {
  const labels = new Set(taken.map(({ label }) => label));
  let label = base;
  for (let number = 2; labels.has(label); number++) {
    const suffix = ` ${number}`;
    // Cut in the middle of a pair, half a character would be left.
    label = `${normaliseLabel(base.slice(0, LABEL_MAX_LENGTH - suffix.length)) ?? ''}${suffix}`;
  }
  return label;
}
