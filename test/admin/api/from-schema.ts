import fc from 'fast-check';
import type { ApiContract } from '../../support/api-contract.js';

type Json = Record<string, unknown>;

/** Texts that have gone wrong somewhere before. */
const NASTY = [
  '',
  ' ',
  '\0',
  '\ud800',
  '$ne',
  '__proto__',
  '../../etc',
  '%00',
  'é'.repeat(300),
  '<script>',
  "' OR 1=1",
  '٣',
  'a\nb',
  '{}',
];

const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.string({ minLength: 1, maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 2, arbitrary: fc.constantFrom(...NASTY) },
);

function stringOf(schema: Json): fc.Arbitrary<unknown> {
  if (schema.format === 'date-time')
    return fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
      .map((at) => at.toISOString());
  if (schema.format === 'uri') return fc.webUrl();
  return text;
}

/** Values that a schema allows, mostly: what makes it through has to be dealt with, whatever it is. */
export function fromSchema(contract: ApiContract, given: Json | undefined, depth = 0): fc.Arbitrary<unknown> {
  const schema = contract.resolve(given ?? {});
  if (depth > 5) return fc.constant(null);
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  const choices = (schema.anyOf ?? schema.oneOf ?? schema.allOf) as Json[] | undefined;
  if (choices) return fc.oneof(...choices.map((choice) => fromSchema(contract, choice, depth + 1)));
  switch (schema.type) {
    case 'string':
      return stringOf(schema);
    case 'integer':
    case 'number':
      return fc.integer({ min: Number(schema.minimum ?? 0), max: Math.min(Number(schema.maximum ?? 1_000), 100_000) });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      if (Array.isArray(schema.prefixItems))
        return fc.tuple(...schema.prefixItems.map((item: Json) => fromSchema(contract, item, depth + 1)));
      return fc.array(fromSchema(contract, schema.items as Json, depth + 1), { maxLength: 3 });
    case 'object': {
      const properties = Object.entries((schema.properties ?? {}) as Record<string, Json>);
      return fc.record(
        Object.fromEntries(properties.map(([name, inner]) => [name, fromSchema(contract, inner, depth + 1)])),
        { requiredKeys: (schema.required ?? []) as string[] },
      );
    }
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

/** The same, or something else altogether. */
export const aroundSchema = (contract: ApiContract, schema: Json | undefined): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 6, arbitrary: fromSchema(contract, schema) },
    { weight: 1, arbitrary: fromSchema(contract, schema).map((value) => ({ ...(value as object), surplus: 1 })) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  );

export const anyText = text;
