import { z } from 'zod';
import { isObjectKey } from '../../shared/object-store/index.ts';
import { auditExportIdField } from './audit-export.schema.ts';

export const downloadAuditExportFilePath = {
  export: auditExportIdField,
  // Threat: "..", "%2e%2e", "\\" and the like, up and out of the export's own files. An object key has none of them.
  path: z
    .string()
    .refine(isObjectKey, 'must be one of the files of the export')
    .describe('As listed with the export; it may hold slashes'),
};
