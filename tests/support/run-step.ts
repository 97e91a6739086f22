import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export type Step = { name: string; command: string; args: readonly string[] };
export type StepResult = { step: Step; isPassed: boolean; seconds: number; output: string };

/** A step that runs one of our scripts, or a package's program, on this very Node. */
export function nodeStep(name: string, ...args: string[]): Step {
  return { name, command: process.execPath, args };
}

/** Runs a command in the project's root. Its output is kept, or shown as it comes. */
export async function runStep(step: Step, output: 'kept' | 'shown'): Promise<StepResult> {
  const started = performance.now();
  const stdio = output === 'shown' ? 'inherit' : 'pipe';
  const child = spawn(step.command, step.args, { cwd: projectRoot, stdio: ['ignore', stdio, stdio] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const problem = await once(child, 'close').then(
    ([code]) => (code === 0 ? undefined : ''),
    (error: unknown) => `${error}`,
  );
  return {
    step,
    isPassed: problem === undefined,
    seconds: (performance.now() - started) / 1000,
    output: `${Buffer.concat(chunks)}${problem ?? ''}`.trim(),
  };
}

export function toLine({ step, isPassed, seconds }: StepResult): string {
  return `${isPassed ? 'ok    ' : 'FAILED'} ${step.name} (${seconds.toFixed(1)} s)`;
}
