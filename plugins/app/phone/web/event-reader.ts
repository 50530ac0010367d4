/** Reads server-sent events as they come: the names of those that are complete. */
export function eventReader(): (text: string) => string[] {
  let rest = '';
  let name = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    const names: string[] = [];
    for (const line of lines.map((one) => one.replace(/\r$/, ''))) {
      if (line.startsWith('event:')) name = line.slice('event:'.length).trim();
      if (line !== '') continue;
      if (name) names.push(name);
      name = '';
    }
    return names;
  };
}
