import { z } from 'zod';
import { typeId } from '../../shared/kernel/index.ts';
import { pageQuery } from './page.ts';

export const listAuditEventsQuery = {
  ...pageQuery(typeId('evt')),
  subject: z
    .string()
    .regex(/^[\x21-\x7e]{1,256}$/, 'must be an id')
    .optional()
    .describe('Only events about the thing of this id'),
  personalData: z
    .enum(['sealed', 'open'])
    .default('sealed')
    .describe('open: sealed members are shown too, to who holds personal_data:read; erased ones stay closed'),
};
