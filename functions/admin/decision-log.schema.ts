import { z } from 'zod';
import {
  type DecisionLog,
  decisionLogLevels,
  maskPathPattern,
  masksMax,
} from '../../shared/decision-record/index.ts';

const levelField = z
  .enum(decisionLogLevels)
  .describe('Which decisions are kept: all, or refusals and what a privileged role or rule decided');

const masksField = z
  .array(
    z.strictObject({
      path: z
        .string()
        .max(200)
        .regex(maskPathPattern, 'must be subject, action, resource or context, then names joined by dots')
        .describe('As in subject.email, resource.owner.* or context.network.ip'),
      mode: z.enum(['hash', 'remove']).describe('Keep a keyed hash of the value, or nothing'),
    }),
  )
  .max(masksMax)
  .describe('Attributes of a question that are not kept as they came');

export const decisionLogView = z.strictObject({ level: levelField, masks: masksField });

export const changeDecisionLogBody = { level: levelField.optional(), masks: masksField.optional() };

export function toDecisionLogView({ level, masks }: DecisionLog): z.input<typeof decisionLogView> {
  return { level, masks: masks.map(({ path, mode }) => ({ path, mode })) };
}
