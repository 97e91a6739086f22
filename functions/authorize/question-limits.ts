import type { Principal } from '../../shared/authentication/index.ts';
import type { Admission, LocalRateLimiter } from '../../shared/rate-limit/index.ts';

/** What a proven caller may ask, and what one of its API keys may. One unit a question. */
export type QuestionLimits = {
  take(caller: Principal, questions: number): Admission;
  giveBack(caller: Principal, questions: number): void;
};

/** The key first, so that one that runs wild does not take what is its owner's other keys'. */
export function createQuestionLimits({
  callers,
  keys,
}: Readonly<Record<'callers' | 'keys', LocalRateLimiter>>): QuestionLimits {
  return {
    take: (caller, questions) => {
      const keyId = keyIdOf(caller);
      if (keyId === undefined) return callers.take(callerIdOf(caller), questions);
      const ofKey = keys.take(keyId, questions);
      if (!ofKey.isAdmitted) return ofKey;
      const ofCaller = callers.take(callerIdOf(caller), questions);
      if (!ofCaller.isAdmitted) keys.giveBack(keyId, questions);
      return ofCaller;
    },
    giveBack: (caller, questions) => {
      const keyId = keyIdOf(caller);
      if (keyId !== undefined) keys.giveBack(keyId, questions);
      callers.giveBack(callerIdOf(caller), questions);
    },
  };
}

function callerIdOf({ organizationId, id }: Principal): string {
  return `${organizationId} ${id}`;
}

function keyIdOf({ credential }: Principal): string | undefined {
  return credential.type === 'api_key' ? credential.id : undefined;
}
