import { z } from 'zod';
import { directoryIds } from './directory.schema.ts';
import { idField, instantField } from './field.schema.ts';

export const eraseUserParams = { user: idField(directoryIds.member, 'Id of a person') };

export const erasureView = z.strictObject({
  userId: z.string(),
  erasedAt: instantField.describe('When the key of the person was destroyed'),
});
