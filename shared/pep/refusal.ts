import type { Outcome, StepUp } from './outcome.ts';

/** What a guarded route answers in place of its own response. */
export type Refusal = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

type Reason = { readonly status: number; readonly code: string; readonly title: string };

const reasons = {
  denied: { status: 403, code: 'authorization.not_permitted', title: 'This caller may not do this' },
  stepUp: {
    status: 401,
    code: 'authorization.step_up_required',
    title: 'This action needs stronger authentication',
  },
  undecided: { status: 503, code: 'service.unavailable', title: 'The service cannot answer now' },
  routeUnknown: { status: 404, code: 'request.route_unknown', title: 'There is nothing at this address' },
} as const satisfies Record<string, Reason>;

/** Undefined for an allow. The caller learns that, never why: rules and failures are for the log. */
export function toRefusal(outcome: Outcome): Refusal | undefined {
  switch (outcome.outcome) {
    case 'allow':
      return undefined;
    case 'step_up':
      return toProblem(reasons.stepUp, { 'www-authenticate': toChallenge(outcome.stepUp) });
    case 'deny':
      return toProblem(reasons.denied, {});
    case 'error':
      return toProblem(reasons.undecided, { 'retry-after': '1' });
  }
}

/** No question belongs to this request, so nobody may do it. */
export function refuseUnmapped(): Refusal {
  return toProblem(reasons.denied, {});
}

export function refuseUnknownRoute(): Refusal {
  return toProblem(reasons.routeUnknown, {});
}

/** RFC 9470 section 3. */
function toChallenge({ acr, maxAge }: StepUp): string {
  return [
    'Bearer error="insufficient_user_authentication"',
    'error_description="A different authentication level is required"',
    ...(acr !== undefined && isQuotable(acr) ? [`acr_values="${acr}"`] : []),
    ...(maxAge === undefined ? [] : [`max_age="${maxAge}"`]),
  ].join(', ');
}

/** Nothing that could end the quoted text or the header. */
function isQuotable(text: string): boolean {
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(text);
}

/** Problem Details, RFC 9457. */
function toProblem({ status, code, title }: Reason, headers: Readonly<Record<string, string>>): Refusal {
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify({ type: `urn:uos:problem:${code}`, title, status, code }),
  };
}
