import { z } from 'zod';
import { auditExportView } from './audit-export.schema.ts';

export const auditExportWithFilesView = auditExportView.extend({
  files: z
    .array(z.string())
    .optional()
    .describe('Paths below this address + "/files/"; there when it is ready'),
});
