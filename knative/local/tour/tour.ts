import { join } from 'node:path';
import type { ConsoleLines } from '../console-lines.ts';
import type { Platform } from '../platform.ts';
import { startForge } from './forge.ts';
import { exportAuditLog, tamper, verifyAuditLog } from './proof-steps.ts';
import {
  decide,
  declareOrganization,
  getToken,
  issueKey,
  removeRole,
  revokeKey,
  rotateSigningKey,
} from './steps.ts';
import type { Step, TourContext } from './tour-context.ts';

export type StepReport = {
  readonly name: string;
  readonly ms: number;
  readonly ok: boolean;
  readonly error?: string;
};
export type TourReport = { readonly tour: 'ok' | 'failed'; readonly steps: readonly StepReport[] };

const steps: readonly Step[] = [
  declareOrganization,
  issueKey,
  getToken,
  decide,
  removeRole,
  rotateSigningKey,
  revokeKey,
  exportAuditLog,
  verifyAuditLog,
  tamper,
];

/**
 * Performs the main job against a running platform through its public interfaces only. Ends at the first step that
 * fails. `beforeStep` lets a test disturb the platform meanwhile.
 */
export async function runTour(
  platform: Platform,
  lines: ConsoleLines,
  beforeStep: (name: string) => void = () => undefined,
): Promise<TourReport> {
  const forge = await startForge(join(platform.state.directory, 'forge'));
  const reports: StepReport[] = [];
  try {
    const context = emptyContext(platform, forge);
    for (const step of steps) {
      beforeStep(step.name);
      const report = await runStep(step, context, lines);
      reports.push(report);
      if (!report.ok) return { tour: 'failed', steps: reports };
    }
    return { tour: 'ok', steps: reports };
  } finally {
    await forge.close();
  }
}

async function runStep(step: Step, context: TourContext, lines: ConsoleLines): Promise<StepReport> {
  const started = performance.now();
  const elapsed = () => Math.round(performance.now() - started);
  try {
    const said = await step.run(context);
    const ms = elapsed();
    lines.line(`  ok   ${step.name.padEnd(20)} ${`${ms} ms`.padStart(9)}   ${said}`);
    return { name: step.name, ms, ok: true };
  } catch (error) {
    const ms = elapsed();
    const message = error instanceof Error ? error.message : String(error);
    lines.line(`  fail ${step.name.padEnd(20)} ${`${ms} ms`.padStart(9)}   ${message}`);
    return { name: step.name, ms, ok: false, error: message };
  }
}

function emptyContext(platform: Platform, forge: TourContext['forge']): TourContext {
  return {
    platform,
    forge,
    startedAt: new Date(),
    source: { id: '', secret: '', webhookUrl: '' },
    organizationId: '',
    serviceAccountId: '',
    userId: '',
    apiKey: { id: '', text: '' },
    oldToken: '',
    newToken: '',
    exportDirectory: join(platform.state.directory, 'export'),
    verifierKeys: [],
  };
}
