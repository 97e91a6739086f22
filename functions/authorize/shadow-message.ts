import type { PolicyBundle } from '../../shared/authorization/index.ts';

/** What the thread of the shadow policy is asked; each is answered before the next is sent. */
export type ShadowRequest =
  | { readonly ask: 'activate'; readonly bundle: PolicyBundle }
  /** Inputs of the policy as JSON. */
  | { readonly ask: 'evaluate'; readonly inputs: readonly string[] };

export type ShadowAnswer =
  | { readonly activated: true }
  | { readonly activated: false; readonly detail: string }
  /** In the order asked. */
  | { readonly verdicts: readonly Verdict[] };

/** What is compared of two decisions, and what a disagreement is told by. */
export type Verdict = {
  readonly decision: boolean;
  readonly code: string;
  readonly rule: string | undefined;
};

export function toVerdict({ decision, code, rule }: Omit<Verdict, 'rule'> & { rule?: string }): Verdict {
  return { decision, code, rule };
}
