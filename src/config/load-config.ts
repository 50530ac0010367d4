import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigurationError } from './configuration-error.js';
import { describe, explain } from './issues.js';
import { ruleProblems } from './rules.js';
import { type Config, configSchema, type ReadableParts, sections } from './schema.js';
import type { Environment } from './secrets.js';
import { systemErrorCode } from './system-error.js';

/**
 * Reads the YAML file and holds it against the schema and the rules.
 * @param env for what the file refers to: `MONGODB_URI`, clients' secrets, passwords.
 * @param options `withoutSecrets`: for work that needs the settings alone, such as the command line's. `withoutRules`: settings that
 * are each right are given, whatever is wrong with them together.
 * @throws ConfigurationError with ALL problems, each with its path and line.
 */
export function loadConfig(
  file: string,
  env: Environment,
  { withoutSecrets = false, withoutRules = false }: { withoutSecrets?: boolean; withoutRules?: boolean } = {},
): Config {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines });
  const raw = settingsOf(document, file);
  const parsed = configSchema.safeParse(raw, { error: explain });
  const problems = (parsed.error?.issues ?? []).flatMap((issue) => describe(issue, configSchema));
  if (!withoutRules) problems.push(...ruleProblems(withLogo(readable(raw), file), env, withoutSecrets));
  if (!parsed.success || problems.length > 0)
    throw new ConfigurationError(
      problems.map((problem) => ({ ...problem, ...lineOf(problem.path, document, lines) })),
      file,
    );
  return complete(withLogo(parsed.data, file));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError([{ path: file, message: `cannot be read (${systemErrorCode(error)})` }]);
  }
}

function settingsOf(document: Document.Parsed, file: string): Record<string, unknown> {
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0)
    throw new ConfigurationError(
      faults.map(({ message, linePos }) => ({
        path: 'YAML',
        message: (message.split('\n', 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, ''),
        ...(linePos ? { line: linePos[0].line } : {}),
      })),
      file,
    );
  const raw: unknown = document.toJS() ?? {};
  if (typeof raw !== 'object' || Array.isArray(raw))
    throw new ConfigurationError([{ path: 'YAML', message: 'must be settings of the form `name: value`' }], file);
  return raw as Record<string, unknown>;
}

/** Each section, and each entry of a list, on its own: what is right is given to the rules whatever is wrong elsewhere. */
function readable(raw: Record<string, unknown>): ReadableParts {
  const parts: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(sections)) {
    const whole = schema.safeParse(raw[name]);
    const entry = entrySchema(schema);
    const list = raw[name];
    if (whole.success) parts[name] = whole.data;
    else if (entry && Array.isArray(list)) parts[name] = list.map((value) => entry.safeParse(value).data);
  }
  return parts as ReadableParts;
}

const entrySchema = (schema: z.ZodType): z.ZodType | undefined => {
  const inner = schema instanceof z.ZodDefault ? schema.unwrap() : schema;
  return inner instanceof z.ZodArray ? (inner.element as z.ZodType) : undefined;
};

const withLogo = <T extends ReadableParts>(parts: T, file: string): T =>
  parts.branding?.logo
    ? { ...parts, branding: { ...parts.branding, logo: resolve(dirname(file), parts.branding.logo) } }
    : parts;

function complete(parsed: z.output<typeof configSchema>): Config {
  const { port, protocol } = new URL(parsed.issuer);
  const ofIssuer = Number(port) || (protocol === 'https:' ? 443 : 80);
  return { ...parsed, listen: { ...parsed.listen, port: parsed.listen.port ?? ofIssuer } };
}

/** The line of the setting, or of the nearest one around it that stands in the file. */
function lineOf(path: string, document: Document.Parsed, lines: LineCounter): { line?: number } {
  const parts = path
    .split(/[.[\]]+/)
    .filter(Boolean)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  for (let length = parts.length; length > 0; length -= 1) {
    const node = document.getIn(parts.slice(0, length), true);
    if (typeof node === 'object' && node && 'range' in node && Array.isArray(node.range))
      return { line: lines.linePos(Number(node.range[0])).line };
  }
  return {};
}
