import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

type Json = Record<string, unknown>;
export interface Operation {
  id: string;
  method: string;
  /** With names in braces. */
  path: string;
  scope: string;
  parameters: { name: string; in: string; required?: boolean; schema: Json }[];
  body?: Json;
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}

/** The API's own document, for holding every answer of every test against it. */
export class ApiContract {
  static #known = new Map<string, Promise<ApiContract>>();
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly operations: Operation[];

  private constructor(readonly document: Json) {
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
    this.#ajv.addSchema({ $id: 'api', ...document });
    this.operations = Object.entries(document.paths as Record<string, Record<string, Json>>).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        id: operation.operationId as string,
        method: method.toUpperCase(),
        path,
        scope: operation['x-scope'] as string,
        parameters: (operation.parameters ?? []) as Operation['parameters'],
        ...(operation.requestBody
          ? {
              body: (operation.requestBody as { content: Record<string, { schema: Json }> }).content['application/json']
                ?.schema as Json,
            }
          : {}),
        responses: operation.responses as Operation['responses'],
      })),
    );
  }

  static of(issuer: string): Promise<ApiContract> {
    const known =
      ApiContract.#known.get(issuer) ??
      fetch(`${issuer}/api/v1/openapi.json`).then(async (response) => new ApiContract((await response.json()) as Json));
    ApiContract.#known.set(issuer, known);
    return known;
  }

  /** A schema with its references made whole. */
  resolve(schema: Json): Json {
    if (typeof schema.$ref !== 'string') return schema;
    const name = schema.$ref.split('/').at(-1) ?? '';
    return (this.document.components as { schemas: Record<string, Json> }).schemas[name] as Json;
  }

  find(method: string, path: string): Operation | undefined {
    const parts = (path.split('?', 1)[0] ?? '').split('/');
    return this.operations.find(({ method: known, path: pattern }) => {
      const segments = pattern.split('/');
      return (
        known === method &&
        segments.length === parts.length &&
        segments.every((segment, index) => segment.startsWith('{') || segment === parts[index])
      );
    });
  }

  /** @throws Error when the document does not know this answer. */
  check(method: string, path: string, answer: { status: number; contentType: string; body: unknown }): void {
    const operation = this.find(method, path);
    if (!operation) return;
    const name = `${operation.id} ${answer.status}`;
    const response = operation.responses[String(answer.status)];
    if (!response) throw new Error(`${name} is not documented: ${JSON.stringify(answer.body)}`);
    const type = answer.contentType.split(';', 1)[0] ?? '';
    if (!response.content) {
      if (answer.body !== '') throw new Error(`${name} has a body that is not documented`);
      return;
    }
    if (type === 'application/x-ndjson') return;
    if (!response.content[type]) throw new Error(`${name} is ${type}, which is not documented`);
    const validate = this.#validator(operation, String(answer.status), type);
    if (!validate(answer.body))
      throw new Error(
        `${name} is not as documented: ${JSON.stringify(validate.errors)} ${JSON.stringify(answer.body)}`,
      );
  }

  #validator(operation: Operation, status: string, type: string): ValidateFunction {
    const key = `${operation.id} ${status} ${type}`;
    const pointer = [
      'paths',
      operation.path,
      operation.method.toLowerCase(),
      'responses',
      status,
      'content',
      type,
      'schema',
    ]
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = this.#validators.get(key) ?? this.#ajv.compile({ $ref: `api#/${pointer}` });
    this.#validators.set(key, validate);
    return validate;
  }
}
