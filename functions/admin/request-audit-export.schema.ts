import { instantField } from './field.schema.ts';

export const requestAuditExportBody = {
  from: instantField,
  to: instantField.describe('Not included; one in the future means now. At most 31 days after "from"'),
};
