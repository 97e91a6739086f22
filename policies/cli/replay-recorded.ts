import type { RecordedLine } from './replay-records.ts';

/** Of the decisions asked again: what they were when they were recorded. */
export type RecordedCounts = {
  readonly permits: number;
  /** Those among the permits that are recorded at every level. */
  readonly privileged_permits: number;
  readonly refusals: number;
};

export type ReplayWarning = {
  readonly code: 'permits_not_recorded';
  readonly message: string;
  readonly organizations: readonly string[];
};

export type RecordedReport = {
  readonly recorded: RecordedCounts;
  readonly warnings: readonly ReplayWarning[];
};

const namedMax = 5;

/**
 * What the records can show at all. Neither a record nor a segment names the level it was written at; but an ordinary
 * permit is written at `all` alone, so an organization without one may be at the other level, where no bundle, not
 * even one that refuses everything, flips any of what it permits today.
 */
export function createRecordedTally() {
  const counts = { permits: 0, privileged_permits: 0, refusals: 0 };
  const hasOrdinaryPermits = new Map<string, boolean>();
  return {
    /** Every record, also one that cannot be asked again: it too tells the level. */
    see: ({ organization, decision, privileged }: RecordedLine): void => {
      const isOrdinaryPermit = decision && privileged !== true;
      hasOrdinaryPermits.set(organization, isOrdinaryPermit || hasOrdinaryPermits.get(organization) === true);
    },
    count: ({ decision, privileged }: RecordedLine): void => {
      counts[decision ? 'permits' : 'refusals']++;
      if (decision && privileged === true) counts.privileged_permits++;
    },
    read: (): RecordedReport => {
      const without = [...hasOrdinaryPermits].filter(([, has]) => !has).map(([organization]) => organization);
      return { recorded: { ...counts }, warnings: without.length === 0 ? [] : [toWarning(without)] };
    },
  };
}

function toWarning(organizations: readonly string[]): ReplayWarning {
  const named = organizations.slice(0, namedMax).join(', ');
  const more = organizations.length > namedMax ? ` and ${organizations.length - namedMax} more` : '';
  return {
    code: 'permits_not_recorded',
    message:
      `No ordinary permit is among the records of ${named}${more}. At the level "denials-and-privileged", the default, ` +
      'ordinary permits are not recorded at all: set it to "all" first to see what would be refused.',
    organizations,
  };
}
