import { type DeclarationInvalid, type RemovalsExceedGuard, toFaultText } from '../declarative/index.ts';
import { toPlainText } from './plain-text.ts';
import type { Refusal } from './reconcile-failure.ts';

const faultsMax = 20;
// Twenty of these, every character escaped, still fit the leaf of an event.
const faultLengthMax = 400;

export function refuseDeclaration(failure: Pick<DeclarationInvalid, 'faults'>): Refusal {
  const faults = failure.faults
    .slice(0, faultsMax)
    .map((fault) => toPlainText(toFaultText(fault), faultLengthMax));
  const count = failure.faults.length === 1 ? '1 fault' : `${failure.faults.length} faults`;
  return { code: 'declaration.invalid', message: `${count}: ${faults[0] ?? ''}`, faults };
}

export function refuseRemovals({ code, removals, allowed, managed }: RemovalsExceedGuard): Refusal {
  const message = `it would remove ${removals} of ${managed} managed things, the guards allow ${allowed}`;
  return { code, message, faults: [] };
}

/** Names no other source: who declares the organization is not this repository's business. */
export function refuseClaim(code: Exclude<Refusal['code'], 'declaration.invalid'>): Refusal {
  const owner = code === 'organization.claimed_by_other_source' ? 'another source' : 'the API';
  return { code, message: `an organization of this name belongs to ${owner}`, faults: [] };
}
