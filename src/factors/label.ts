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
