import { z } from 'zod';
import { instantField } from './field.schema.ts';

export const rotationRequestView = z.strictObject({
  id: z.string(),
  requestedBy: z.string(),
  requestedAt: instantField,
});
