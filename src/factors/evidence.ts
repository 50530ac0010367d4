import type { Evidence } from './contract.js';

/** The evidence when it holds only the plugin's fields, each a string within its length; otherwise undefined. */
export function acceptEvidence(submitted: unknown, fields: Readonly<Record<string, number>>): Evidence | undefined {
  if (typeof submitted !== 'object' || submitted === null || Array.isArray(submitted)) return undefined;
  const evidence: Record<string, string> = {};
  for (const [name, value] of Object.entries(submitted)) {
    const longest = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (longest === undefined || typeof value !== 'string' || value.length > longest) return undefined;
    evidence[name] = value;
  }
  return evidence;
}
