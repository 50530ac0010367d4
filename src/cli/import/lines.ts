/** A line as it stands in the file; or why it cannot be read. */
export type Line = { number: number; text: string } | { number: number; problem: string };

/** Longer ones are no accounts, and are not kept in memory. */
const LONGEST_LINE_BYTES = 262_144;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = /^\uFEFF/;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Lines that are not empty, one after the other; the last one needs no end. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  let number = 1;

  const take = (piece: Uint8Array): void => {
    size += piece.length;
    if (size <= LONGEST_LINE_BYTES) pieces.push(piece);
    else pieces = [];
  };
  const finish = (): Line | undefined => {
    const line = size > LONGEST_LINE_BYTES ? tooLong(number) : decoded(Buffer.concat(pieces), number);
    pieces = [];
    size = 0;
    number += 1;
    return line;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      const line = finish();
      if (line) yield line;
    }
    if (from < chunk.length) take(chunk.subarray(from));
  }
  const last = size > 0 ? finish() : undefined;
  if (last) yield last;
}

const tooLong = (number: number): Line => ({
  number,
  problem: `is longer than ${LONGEST_LINE_BYTES / 1024} KiB`,
});

function decoded(bytes: Uint8Array, number: number): Line | undefined {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { number, problem: 'is not UTF-8' };
  }
  const trimmed = (number === 1 ? text.replace(BYTE_ORDER_MARK, '') : text).trim();
  return trimmed === '' ? undefined : { number, text: trimmed };
}
