import { z } from 'zod';

const reportedKeysMax = 20;

/** Longer than any key is; what is longer is none, and need not be repeated to us. */
const keyField = z.string().min(1).max(1_024);

export const selfReportBody = z.strictObject({
  keys: z.array(keyField).min(1).max(reportedKeysMax),
});
