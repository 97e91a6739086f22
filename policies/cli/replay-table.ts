import type { Answer, ReplayReport } from './replay-report.ts';

const rowsMax = 50;

/** The report for a terminal. */
export function toTable(report: ReplayReport, title: string): string {
  const { total, flipped, to_permit, to_refuse, other_reason, failed } = report;
  const summary = [
    `${total} decisions replayed: ${title}`,
    `${flipped} would flip: ${to_permit} to permit, ${to_refuse} to refuse`,
    `${other_reason} stay as they are for another reason; ${failed} end in an error`,
  ];
  if (flipped === 0) return `${summary.join('\n')}\n`;
  const byRule = report.by_rule.map(({ before, after, count }) => [
    String(count),
    describe(before),
    '->',
    describe(after),
  ]);
  const bySubject = report.by_subject.map((who) => [
    String(who.to_permit),
    String(who.to_refuse),
    `${who.type}:${who.id}`,
    who.organization,
  ]);
  const flips = report.flips.map((flip) => [
    flip.after.decision ? 'permit' : 'refuse',
    `${flip.subject.type}:${flip.subject.id}`,
    flip.action,
    `${flip.resource.type}:${flip.resource.id}`,
    flip.name,
  ]);
  return `${[
    ...summary,
    ...section('By rule', ['flips', 'before', '', 'after'], byRule),
    ...section('By principal', ['to permit', 'to refuse', 'principal', 'organization'], bySubject),
    ...section('Each', ['would', 'principal', 'action', 'resource', 'case or request'], flips),
  ].join('\n')}\n`;
}

function section(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const shown = [head, ...rows.slice(0, rowsMax)];
  const widths = head.map((_, column) => Math.max(...shown.map((row) => row[column]?.length ?? 0)));
  const lines = shown.map((row) =>
    `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd(),
  );
  const more = rows.length > rowsMax ? [`  ... and ${rows.length - rowsMax} more (--json shows them)`] : [];
  return ['', title, ...lines, ...more];
}

function describe({ decision, code, rule }: Answer): string {
  const reason = [code, rule].filter((word) => word !== undefined && word !== '').join(' ');
  return `${decision ? 'permit' : 'refuse'} ${reason}`.trim();
}
