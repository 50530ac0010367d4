import { z } from 'zod';

/** An application where something else is about it. */
export const applicationReference = z
  .strictObject({ id: z.string().meta({ description: 'Its `client_id`.' }), name: z.string() })
  .meta({ id: 'ApplicationReference' });

export type ApplicationReference = z.output<typeof applicationReference>;
