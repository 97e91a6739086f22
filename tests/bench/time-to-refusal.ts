import { evaluationPath } from './authorize-questions.ts';

/** `other`: neither, as when the process is too busy to decide. */
export type Outcome = 'permitted' | 'refused' | 'other';

/** What processes remember somebody may do, and how it is taken away. */
export type HeldRight = {
  use(base: string): Promise<Outcome>;
  revoke(): Promise<void>;
};

/** In milliseconds, from the revocation's answer to the moment at which every process has refused what all permitted. */
export async function timeToRefusal(bases: readonly string[], right: HeldRight): Promise<number> {
  const warm = await Promise.all(bases.map((base) => right.use(base)));
  if (warm.some((outcome) => outcome !== 'permitted'))
    throw new Error(`a good right was answered ${warm.join(', ')}`);
  await right.revoke();
  const revokedAt = performance.now();
  await Promise.all(bases.map((base) => untilRefused(base, right)));
  return performance.now() - revokedAt;
}

export async function untilRefused(base: string, right: HeldRight): Promise<void> {
  const deadline = AbortSignal.timeout(10_000);
  while ((await right.use(base)) !== 'refused') deadline.throwIfAborted();
}

export type Question = { readonly text: string; readonly body: string };

/** A credential of which the question may be asked as long as it holds. */
export function heldKey(question: Question, revoke: () => Promise<void>): HeldRight {
  return {
    use: async (base) => {
      const { status } = await askWith(base, question);
      return status === 200 ? 'permitted' : status === 401 ? 'refused' : 'other';
    },
    revoke,
  };
}

/** Rights of somebody whom a credential that stays good asks about: they go by another cache than credentials. */
export function heldFacts(question: Question, revoke: () => Promise<void>): HeldRight {
  return {
    use: async (base) => {
      const { status, answer } = await askWith(base, question);
      if (status !== 200) return 'other';
      return answer === '{"decision":true}' ? 'permitted' : 'refused';
    },
    revoke,
  };
}

async function askWith(base: string, { text, body }: Question): Promise<{ status: number; answer: string }> {
  const headers = { authorization: `Bearer ${text}`, 'content-type': 'application/json' };
  const response = await fetch(`${base}${evaluationPath}`, { method: 'POST', headers, body });
  return { status: response.status, answer: await response.text() };
}
