import type { AttributeMask } from './mask-attributes.ts';

/** `denials-and-privileged`: refusals, and whatever a privileged role or rule decided. */
export const decisionLogLevels = ['all', 'denials-and-privileged'] as const;
export type DecisionLogLevel = (typeof decisionLogLevels)[number];

/** What an organization wants kept of its decisions. */
export type DecisionLog = {
  readonly level: DecisionLogLevel;
  readonly masks: readonly AttributeMask[];
};

export function isKept(
  level: DecisionLogLevel,
  record: { readonly decision: boolean; readonly isPrivileged?: boolean | undefined },
): boolean {
  return level === 'all' || !record.decision || record.isPrivileged === true;
}
