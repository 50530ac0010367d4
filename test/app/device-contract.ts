import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

type Json = Record<string, unknown>;
interface Operation {
  requestBody: { content: Record<string, { schema: Json }> };
  responses: Record<string, { content: Record<string, { schema: Json }> }>;
}

/** What is not described is not answered: a document for people who write clients is worth what it leaves out, too. */
const strict = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, strict(value)]));
  return 'properties' in copy ? { ...copy, additionalProperties: false } : copy;
};

/** The served description of the device API, for holding what a phone sends and is answered against it. */
export class DeviceContract {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  /** `<path> <status>` of every answer that was looked at. */
  readonly seen = new Set<string>();
  /** What did not fit. */
  readonly breaches: string[] = [];

  constructor(readonly document: { servers: { url: string }[]; paths: Record<string, { post: Operation }> } & Json) {
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
    this.#ajv.addSchema({ $id: 'device', ...(strict(document) as Json) });
  }

  static async of(issuer: string): Promise<DeviceContract> {
    const response = await fetch(`${issuer}/device/v1/openapi.json`);
    return new DeviceContract((await response.json()) as DeviceContract['document']);
  }

  /** `fetch` that looks on. */
  readonly fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const path = this.#pathOf(String(input));
    const operation = path === undefined ? undefined : this.document.paths[path]?.post;
    if (path === undefined || !operation) {
      this.breaches.push(`${input} is not described`);
      return response;
    }
    const pointer = path.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
    const type = (response.headers.get('content-type') ?? '').split(';', 1)[0] ?? '';
    const media = type.replaceAll('/', '~1').replaceAll('+', '%2B');
    const base = `device#/paths/${pointer}/post`;
    if (response.ok) {
      this.#hold(`${base}/requestBody/content/application~1json/schema`, JSON.parse(String(init?.body)), path);
    }
    this.seen.add(`${path} ${response.status}`);
    if (!operation.responses[response.status]?.content[type]) {
      this.breaches.push(`${path}: ${response.status} as ${type} is not described`);
      return response;
    }
    // Events end when somebody ends them: there is nothing to read yet.
    if (type !== 'text/event-stream')
      this.#hold(
        `${base}/responses/${response.status}/content/${media}/schema`,
        await response.clone().json(),
        `${path} ${response.status}`,
      );
    if (!response.headers.get('device-nonce')) this.breaches.push(`${path}: no nonce`);
    return response;
  };

  #hold($ref: string, value: unknown, what: string): void {
    const validate = this.#ajv.compile({ $ref });
    if (!validate(value)) this.breaches.push(`${what}: ${this.#ajv.errorsText(validate.errors)}`);
  }

  #pathOf(url: string): string | undefined {
    const [server] = this.document.servers;
    if (!server || !url.startsWith(server.url)) return undefined;
    const rest = url.slice(server.url.length);
    return Object.keys(this.document.paths).find((path) =>
      new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`).test(rest),
    );
  }
}
