import type { TextMessage } from './provider.js';

/** What a template may ask for. `toDigits`: the number without its plus sign, as some providers want it. */
const PLACEHOLDERS = {
  to: ({ to }) => to,
  toDigits: ({ to }) => to.replace(/^\+/, ''),
  text: ({ text }) => text,
  id: ({ id }) => id,
} satisfies Record<string, (message: TextMessage) => string>;

export type Placeholder = keyof typeof PLACEHOLDERS;

/** Strings with placeholders such as `{to}`, at any depth. */
export type Template = string | number | boolean | null | Template[] | { [name: string]: Template };

const PLACEHOLDER = /\{(\w+)\}/g;

const isPlaceholder = (name: string): name is Placeholder => Object.hasOwn(PLACEHOLDERS, name);

/**
 * Puts the message into the strings of a template. What was put in is a value from then on: it is not looked through again,
 * and whoever writes it out as JSON or as a form encodes it.
 */
export function fill<T extends Template>(template: T, message: TextMessage): T;
export function fill(template: Template, message: TextMessage): Template {
  if (typeof template === 'string')
    return template.replace(PLACEHOLDER, (whole, name: string) =>
      isPlaceholder(name) ? PLACEHOLDERS[name](message) : whole,
    );
  if (Array.isArray(template)) return template.map((item) => fill(item, message));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, fill(value, message)]));
}

/** The names in braces that a template uses, and those among them that mean nothing. */
export function placeholdersOf(template: Template): { known: Set<Placeholder>; unknown: string[] } {
  const known = new Set<Placeholder>();
  const unknown: string[] = [];
  for (const text of stringsOf(template))
    for (const [, name = ''] of text.matchAll(PLACEHOLDER))
      if (isPlaceholder(name)) known.add(name);
      else unknown.push(name);
  return { known, unknown };
}

function stringsOf(template: Template): string[] {
  if (typeof template === 'string') return [template];
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap(stringsOf);
}
