import type { FunctionProcess } from '../support/function-process.ts';
import { postTick } from './tick.ts';

const tickSeconds = 30;

/** Ticks the audit-export function beside the load, which makes segments of what is journaled. */
export async function keepSealing({ base }: FunctionProcess): Promise<Disposable> {
  await postTick(base);
  const timer = setInterval(() => void postTick(base).catch(() => undefined), tickSeconds * 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
