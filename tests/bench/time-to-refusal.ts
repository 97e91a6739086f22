import { evaluationPath } from './authorize-questions.ts';

/** A key, and a question that it may ask. */
export type HeldKey = { readonly text: string; readonly body: string; revoke(): Promise<void> };

/** In milliseconds, from the revocation's answer to the moment at which every process has refused a key that all held. */
export async function timeToRefusal(bases: readonly string[], key: HeldKey): Promise<number> {
  const warm = await Promise.all(bases.map((base) => askWith(base, key)));
  if (warm.some((status) => status !== 200)) throw new Error(`a good key was answered ${warm.join(', ')}`);
  await key.revoke();
  const revokedAt = performance.now();
  await Promise.all(bases.map((base) => untilRefused(base, key)));
  return performance.now() - revokedAt;
}

export async function untilRefused(base: string, key: HeldKey): Promise<void> {
  const deadline = AbortSignal.timeout(10_000);
  while ((await askWith(base, key)) !== 401) deadline.throwIfAborted();
}

/** The status that the question is answered with. */
export async function askWith(base: string, { text, body }: HeldKey): Promise<number> {
  const headers = { authorization: `Bearer ${text}`, 'content-type': 'application/json' };
  const response = await fetch(`${base}${evaluationPath}`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
}
