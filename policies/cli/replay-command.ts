import type { PolicyEngine, SubjectFactsSource } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { openPool } from '../../shared/db/index.ts';
import { openBundle } from './bundle-path.ts';
import { CommandError, type PolicyCommand, readArguments, toPath, UsageError } from './command.ts';
import { decideCase, readCases, toRequest } from './decision-case.ts';
import { createRecordedTally, type RecordedReport } from './replay-recorded.ts';
import { readSegments, replayRecord, whyNotAsked } from './replay-records.ts';
import { createReplayTally, type ReplayReport } from './replay-report.ts';
import { toTable } from './replay-table.ts';

export const replayCommand: PolicyCommand = {
  summary: 'decides recorded decisions, or cases, again and tells which would flip',
  usage: `usage: npm run policy -- replay --bundle <new> [--against <old>] [--json]
                           (--cases <file.yaml> | --records <segment.ndjson.gz> ... [--database <url>])

  --bundle    the bundle to try: archive or folder
  --against   the bundle to compare with; otherwise what the cases expect, or what was recorded
  --records   segments of decision records. Each is asked with its own time and attributes and with the facts of the
              database as they are now, read as the login of --database or DATABASE_URL (uos_app) sees them.
              With --against both bundles see the same facts, so that what flips does so by the policy alone.
              Ordinary permits are recorded at the level "all" alone: without them nobody sees what would be refused.

  Exit code: 0 nothing would flip, 1 something would, 2 could not be told: also when nothing flips in records of an
  organization without a single ordinary permit.`,
  run: async (args, write) => {
    const given = readArguments(args, {
      options: ['bundle', 'against', 'cases', 'records', 'database'],
      flags: ['json'],
    });
    const [cases, records] = [given.option('cases'), given.option('records')];
    if ((cases === undefined) === (records === undefined)) throw new UsageError('give --cases or --records');
    if (records === undefined && given.places.length > 0)
      throw new UsageError(`"${given.places[0]}" is too much`);
    const { bundle, engine } = await openBundle(toPath(given.required('bundle')));
    const old = given.option('against');
    const against = old === undefined ? undefined : await openBundle(toPath(old));
    const engines = { bundle: engine, ...(against === undefined ? {} : { against: against.engine }) };
    const replayed =
      cases === undefined
        ? await replayRecords(engines, [records ?? '', ...given.places], given.option('database'))
        : await replayCases(engines, toPath(cases));
    const baseline = against?.bundle.manifest.revision ?? (cases === undefined ? 'recorded' : 'expected');
    const report = { bundle: bundle.manifest.revision, against: baseline, ...replayed };
    const title = `${report.bundle} against ${baseline === 'recorded' || baseline === 'expected' ? `what was ${baseline}` : baseline}`;
    write(
      given.flag('json')
        ? `${JSON.stringify(report, null, 2)}\n`
        : `${toTable(report, title)}${toNotes(report)}`,
    );
    if (report.flipped === 0 && (report.warnings ?? []).length > 0)
      throw new CommandError('what would be refused could not be told: ordinary permits were not recorded');
    return report.flipped === 0;
  },
};

type Engines = { readonly bundle: PolicyEngine; readonly against?: PolicyEngine };

type RecordNotes = Partial<RecordedReport> & {
  /** Where facts came from. */
  readonly facts: 'stated' | 'present';
  readonly changed_since?: number;
  readonly incomplete?: number;
  /** Records that stand for no single question, and those whose names were shortened: neither can be asked again. */
  readonly skipped?: { readonly searches: number; readonly shortened: number };
};

async function replayCases(engines: Engines, path: string): Promise<ReplayReport & RecordNotes> {
  const tally = createReplayTally();
  for (const given of await readCases(path)) {
    const { subject, action, resource } = toRequest(given);
    const { expect } = given;
    const before =
      engines.against === undefined
        ? { decision: expect.decision, code: expect.code ?? '', ...(expect.rule && { rule: expect.rule }) }
        : await decideCase(engines.against, given);
    tally.add({
      name: given.name,
      organization: given.organization.id,
      subject: { type: subject.type, id: subject.id },
      action: action.name,
      resource: { type: resource.type, id: resource.id },
      before: toAnswer(before),
      after: toAnswer(await decideCase(engines.bundle, given)),
    });
  }
  return { facts: 'stated', ...tally.read() };
}

async function replayRecords(
  engines: Engines,
  segments: readonly string[],
  database: string | undefined,
): Promise<ReplayReport & RecordNotes> {
  const url = database ?? process.env['DATABASE_URL'];
  if (url === undefined) throw new UsageError('records need facts: give --database or DATABASE_URL');
  const pool = openPool({ url, applicationName: 'uos-policy-replay', connectionsMax: 1 });
  try {
    const facts = rememberFacts(postgresSubjectFacts(pool));
    const [tally, recorded] = [createReplayTally(), createRecordedTally()];
    let [changed, incomplete] = [0, 0];
    const skipped = { searches: 0, shortened: 0 };
    for await (const line of readSegments(segments.map(toPath))) {
      recorded.see(line);
      const why = whyNotAsked(line);
      if (why !== undefined) {
        skipped[why === 'search' ? 'searches' : 'shortened']++;
        continue;
      }
      const { asked, isChangedSince, isIncomplete } = await replayRecord({ ...engines, facts }, line);
      tally.add(asked);
      recorded.count(line);
      if (isChangedSince) changed++;
      if (isIncomplete) incomplete++;
    }
    const since = engines.against === undefined ? {} : { changed_since: changed };
    return { facts: 'present', ...since, incomplete, skipped, ...recorded.read(), ...tally.read() };
  } finally {
    await pool.close();
  }
}

const remembered = 20_000;

/** Records come in the order they were made, the same subjects again and again. */
function rememberFacts(source: SubjectFactsSource): SubjectFactsSource {
  const known = new Map<string, ReturnType<SubjectFactsSource['find']>>();
  return {
    find: (...asked) => {
      const key = JSON.stringify(asked);
      const facts = known.get(key) ?? source.find(...asked);
      if (known.size >= remembered) known.clear();
      known.set(key, facts);
      return facts;
    },
  };
}

function toAnswer({ decision, code, rule }: { decision: boolean; code: string; rule?: string }) {
  return { decision, code, ...(rule === undefined ? {} : { rule }) };
}

function toNotes({
  facts,
  changed_since,
  incomplete = 0,
  skipped,
  recorded,
  warnings = [],
}: RecordNotes): string {
  if (facts === 'stated') return '';
  const { permits = 0, privileged_permits = 0, refusals = 0 } = recorded ?? {};
  return [
    '',
    `Recorded were ${permits} permits, ${privileged_permits} of them privileged, and ${refusals} refusals.`,
    ...warnings.map(({ message }) => `WARNING: ${message}`),
    'Facts are those of the database now, not of the time of each record.',
    changed_since === undefined
      ? 'So a flip may come of facts that have changed since; --against tells the policy alone.'
      : `${changed_since} records say other than the bundle before does now: their facts have changed since.`,
    `${incomplete} records lack attributes that were masked or left out.`,
    `${skipped?.searches ?? 0} records of searches and ${skipped?.shortened ?? 0} with shortened names were not asked again.`,
    '',
  ].join('\n');
}
