import { z } from 'zod';
import type { GitSource } from '../../shared/git-source/index.ts';
import { gitSourceIdField, instantField } from './field.schema.ts';

export const gitSourceView = z.strictObject({
  id: gitSourceIdField,
  url: z.string(),
  ref: z.string(),
  observedCommit: z.string().optional().describe('The newest commit that was fetched'),
  appliedCommit: z.string().optional().describe('The newest commit that was applied'),
  conditions: z.array(z.record(z.string(), z.unknown())).describe('As in Kubernetes: type, status, reason'),
  createdAt: instantField,
  updatedAt: instantField,
});

export function toGitSourceView(source: GitSource): z.input<typeof gitSourceView> {
  const { id, url, ref, observedCommit, appliedCommit, conditions } = source;
  return {
    id,
    url,
    ref,
    ...(observedCommit && { observedCommit }),
    ...(appliedCommit && { appliedCommit }),
    conditions: [...conditions],
    createdAt: source.createdAt.toISOString(),
    updatedAt: source.updatedAt.toISOString(),
  };
}
