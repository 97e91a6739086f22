import { z } from 'zod';
import { overlapSecondsDefault, overlapSecondsMax } from '../../shared/api-key/index.ts';
import { reasonField } from './api-key.schema.ts';

export const rotateApiKeyBody = {
  overlapSeconds: z
    .int()
    .min(0)
    .max(overlapSecondsMax)
    .default(overlapSecondsDefault)
    .describe('How long the secret before works too; 0 ends it, and any before it, now'),
  environment: z
    .enum(['live', 'test'])
    .optional()
    .describe('Only for a key that shows none, then live when absent; of any other it stays as it is'),
  reason: reasonField.optional(),
};
