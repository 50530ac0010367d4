/** GSM 03.38: characters that take one place of a text message, and those that take two. */
const ONE =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const TWO = '^{}\\[~]|€';

/** How many text messages a text is, as they are billed: 160 characters or 153 of each part, with others 70 and 67. */
export function countSegments(text: string): number {
  const isGsm = [...text].every((character) => ONE.includes(character) || TWO.includes(character));
  const places = isGsm ? [...text].reduce((sum, one) => sum + (TWO.includes(one) ? 2 : 1), 0) : text.length;
  const [alone, part] = isGsm ? [160, 153] : [70, 67];
  return places <= alone ? 1 : Math.ceil(places / part);
}
