import { z } from 'zod';
import { methodNamed } from '../app.js';
import { type Config, describeIssue, type Environment, explained, readSecret } from '../config/index.js';
import { ERROR, type Finding, OK } from '../platform/finding.js';

/** Whether the options of the login methods are as they must be, and what those outside say whom the methods need. */
export async function examineMethods({ methods }: Config, env: Environment): Promise<Finding[]> {
  const found = await Promise.all(
    methods.map(async ({ id, ...options }, place) => {
      const method = methodNamed(id);
      try {
        const config = explained(() => method.parseConfig(options, (variable) => readSecret(env, variable)));
        return (await method.examine?.(config)) ?? [];
      } catch (error) {
        if (!(error instanceof z.ZodError)) throw error;
        return error.issues
          .flatMap((issue) => describeIssue({ ...issue, path: ['methods', place, ...issue.path] }))
          .map(({ path, message }) => ERROR(`methods: ${path} ${message}`));
      }
    }),
  );
  const findings = found.flat();
  return findings.some(({ what }) => what.startsWith('methods: '))
    ? findings
    : [OK('methods: their options are complete and valid'), ...findings];
}
