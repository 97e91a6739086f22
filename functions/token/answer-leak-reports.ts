import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type FunctionOptions,
  networkOf,
  type ProblemFailure,
  type RequestContext,
  sendJson,
  sendProblem,
} from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import {
  type GithubKeys,
  type LeakLabel,
  openGithubAlert,
  type ReportLeakedKeysDeps,
  reportLeakedKeys,
} from '../../shared/leak-report/index.ts';
import { attemptFrom, type CallerLimits } from '../../shared/rate-limit/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { bodyBytesMax } from './handler.ts';
import { selfReportBody } from './leak-report.schema.ts';

export type LeakReportDeps = {
  readonly leaks: ReportLeakedKeysDeps;
  readonly githubKeys: GithubKeys;
  readonly limits: Pick<CallerLimits, 'failures'>;
  readonly logger: Logger;
};

/** GitHub bundles what it finds at once, and a bundle that is refused leaves its keys alive. */
export const alertBytesMax = 1_048_576;

type Listener = FunctionOptions['listener'];
type Answer = { readonly body: unknown; readonly labels: readonly LeakLabel[] };
type Outcome = Result<Answer, ProblemFailure>;
type Operation = (req: IncomingMessage, context: RequestContext) => Promise<Outcome>;

/**
 * Takes reports of leaked keys from anybody, and all else to `next`. It is here since this is the function that
 * strangers may ask: who reports a leak has no account, and a report must not wait for one.
 */
export function answerLeakReports(deps: LeakReportDeps, next: Listener): Listener {
  const routes = new Map<string, Operation>([
    ['POST /leak-reports', (req, context) => reportThemselves(deps, req, context)],
    ['POST /leak-reports/github', (req, context) => reportByGithub(deps, req, context)],
  ]);
  return async (req, res, context) => {
    const operation = routes.get(`${req.method} ${req.url?.split('?', 1)[0]}`);
    if (operation !== undefined) return respond(deps, res, context, () => operation(req, context));
    if (context.body.length <= bodyBytesMax) return next(req, res, context);
    sendProblem(res, { code: 'request.body_too_large' }, context.requestId);
  };
}

async function respond(
  { limits, logger }: LeakReportDeps,
  res: ServerResponse,
  { requestId, clientAddress }: RequestContext,
  run: () => Promise<Outcome>,
): Promise<void> {
  try {
    // Whoever reports what is no key, or signs what GitHub did not, has failed; a true report costs nothing.
    const attempt = await attemptFrom(limits, networkOf(clientAddress), { run, hasFailed });
    if ('admission' in attempt) {
      const { retryAfterSeconds } = attempt.admission;
      return sendProblem(res, { code: 'rate_limit.exceeded', retryAfterSeconds }, requestId);
    }
    const { outcome } = attempt;
    if (!outcome.ok) return sendProblem(res, outcome.failure, requestId);
    sendJson(res, JSON.stringify(outcome.value.body), requestId);
  } catch (error) {
    logger.error({ error, requestId }, 'A report of leaked keys failed; it may be repeated');
    sendProblem(res, { code: 'service.unavailable' }, requestId);
  }
}

function hasFailed(outcome: Outcome): boolean {
  if (outcome.ok) return outcome.value.labels.includes('false_positive');
  return outcome.failure.code !== 'service.unavailable';
}

async function reportThemselves(
  { leaks }: LeakReportDeps,
  req: IncomingMessage,
  { body }: RequestContext,
): Promise<Outcome> {
  const type = req.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') return fail({ code: 'request.unsupported_content_type' });
  const parsed = selfReportBody.safeParse(toJson(body));
  // What was sent is never repeated: it may hold a key.
  if (!parsed.success) return malformed('Send {"keys": [...]} with 1 to 20 texts of keys');
  const labels = await reportLeakedKeys(leaks, { texts: parsed.data.keys, source: 'self-report' });
  return ok({ labels, body: { results: labels.map((label) => ({ label })) } });
}

async function reportByGithub(
  { leaks, githubKeys, logger }: LeakReportDeps,
  { headers }: IncomingMessage,
  { body, requestId }: RequestContext,
): Promise<Outcome> {
  const alert = await openGithubAlert(githubKeys, {
    body,
    identifier: toText(headers['github-public-key-identifier']),
    signature: toText(headers['github-public-key-signature']),
  });
  if (alert.ok) {
    const texts = alert.value.map(({ token }) => token);
    const labels = await reportLeakedKeys(leaks, { texts, source: 'github' });
    return ok({ labels: [], body: alert.value.map((match, place) => toFeedback(match, labels[place])) });
  }
  switch (alert.failure.code) {
    case 'github_alert.unsigned':
      return fail({ code: 'signature.invalid' });
    case 'github_alert.malformed':
      return malformed('The alert is not a list of matches');
    case 'github_key.unavailable':
      logger.warn({ requestId, reason: alert.failure.reason }, 'The keys of GitHub cannot be had');
      return fail({ code: 'service.unavailable' });
  }
}

/** Hashed, as the partner program allows, so that no answer of ours holds a key. In Base64, as GitHub writes hashes of tokens. */
function toFeedback({ token, type }: { token: string; type: string }, label: LeakLabel | undefined) {
  return { token_hash: createHash('sha256').update(token).digest('base64'), token_type: type, label };
}

function malformed(detail: string): Outcome {
  return fail({ code: 'request.malformed', detail });
}

function toJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function toText(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
