// @ts-check

/** Reads a `text/event-stream` as it comes: the names of its events, for these have nothing else. */
export class EventReader {
  #rest = '';
  #name = '';

  /** @param {string} text what has come since @returns {string[]} events that are complete */
  read(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    const names = [];
    for (const line of lines) {
      const [, field, value = ''] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? [];
      if (field === 'event') this.#name = value;
      if (line !== '') continue;
      if (this.#name) names.push(this.#name);
      this.#name = '';
    }
    return names;
  }
}
