import { type Clock, secondsAfter } from '../kernel/index.ts';

/** Who asked what had to be ended too often, and is asked nothing for a while. */
export type OrganizationRest = {
  /** One more of its questions had to be ended. */
  blame(organizationId: string): void;
  isResting(organizationId: string): boolean;
};

/** Ended questions that are nobody's fault: each costs the others some hundredth seconds, and no more. */
const endedMax = 10;
const memorySeconds = 60;
const restSeconds = 10;
/** Remembered organizations. Beyond it all are forgiven: memory is bounded whoever asks. */
const rememberedMax = 10_000;

type Blamed = { readonly ended: number; readonly at: Date };

/**
 * A question that does not end costs a thread. The eleventh within a minute of the one before it is the way of the
 * organization's questions: from then on each costs it ten seconds, in which others have the thread.
 */
export function createOrganizationRest({ clock }: { readonly clock: Clock }): OrganizationRest {
  const blamed = new Map<string, Blamed>();
  const find = (organizationId: string): Blamed | undefined => {
    const known = blamed.get(organizationId);
    return known !== undefined && clock.now() < secondsAfter(known.at, memorySeconds) ? known : undefined;
  };
  return {
    blame: (organizationId) => {
      const ended = (find(organizationId)?.ended ?? 0) + 1;
      if (blamed.size >= rememberedMax) blamed.clear();
      blamed.set(organizationId, { ended, at: clock.now() });
    },
    isResting: (organizationId) => {
      const known = find(organizationId);
      if (known === undefined || known.ended <= endedMax) return false;
      return clock.now() < secondsAfter(known.at, restSeconds);
    },
  };
}
