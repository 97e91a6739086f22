import type { Principal } from '../../shared/authentication/index.ts';
import { type SearchPage, type SearchQuestion, toEvaluation } from '../../shared/authorization/index.ts';
import { type RecordDecisionDeps, recordDecision } from './record-decision.ts';

export type MadeSearch = {
  readonly caller: Principal;
  readonly question: SearchQuestion;
  readonly page: SearchPage;
  readonly requestId: string;
  readonly traceparent?: string | undefined;
};

/**
 * One record a page, not one a candidate: what was sought is `*`, and the decision says whether any was found. Each of
 * the answers can be had again as an evaluation; that they were asked for is what the record keeps.
 */
export function recordSearch(
  deps: RecordDecisionDeps,
  { question, page, ...made }: MadeSearch,
): Promise<void> | undefined {
  const { revision, dataRevision } = page.decision ?? {};
  const decision = {
    decision: page.found.length > 0,
    code: 'searched',
    rule: `search_${question.search}`,
    ...(revision === undefined ? {} : { revision }),
    ...(dataRevision === undefined ? {} : { dataRevision }),
  };
  return recordDecision(deps, { ...made, request: toEvaluation(question, '*'), decision });
}
