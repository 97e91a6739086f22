import { writeFileSync } from 'node:fs';

/** One figure. With a bound it can be missed; without one it is for the reader. */
export type BenchResult = {
  readonly name: string;
  /** Not a number: it could not be measured here, as `note` says; that misses no bound. */
  readonly value: number;
  readonly unit: string;
  readonly boundMax?: number;
  readonly boundMin?: number;
  readonly note?: string;
};

export type BenchOptions = {
  /** Arrivals per second, and for how long; absent: every rate that there is a bound for. */
  readonly rate?: number;
  readonly seconds?: number;
  /** A small seed and shorter, to see that the bench works; else the customer's scale. */
  readonly quick: boolean;
  /** Names of the parts to be measured; absent: all. */
  readonly only?: readonly string[];
  progress(line: string): void;
};

export type Bench = (options: BenchOptions) => Promise<readonly BenchResult[]>;

export function isWithinBound({ value, boundMax, boundMin, note }: BenchResult): boolean {
  if (Number.isNaN(value)) return note !== undefined;
  return (boundMax === undefined || value <= boundMax) && (boundMin === undefined || value >= boundMin);
}

/** What could not be measured here, and why. */
export function absent(name: string, note: string): BenchResult {
  return { name, value: Number.NaN, unit: '', note };
}

/** The last line of every bench with --json. */
export function toReport(bench: string, results: readonly BenchResult[]): string {
  return JSON.stringify({
    bench,
    ok: results.every(isWithinBound),
    results: results.map((result) => ({
      name: result.name,
      value: Number.isNaN(result.value) ? null : rounded(result.value),
      unit: result.unit,
      ...(toBound(result) === '' ? {} : { bound: toBound(result) }),
      ...(result.note === undefined ? {} : { note: result.note }),
      ok: isWithinBound(result),
    })),
  });
}

export function toTable(results: readonly BenchResult[]): string {
  const rows = results.map((result) => [
    result.name,
    Number.isNaN(result.value) ? 'not measured' : `${rounded(result.value)} ${result.unit}`,
    toBound(result),
    result.note ?? (toBound(result) === '' ? '' : isWithinBound(result) ? 'ok' : 'MISSED'),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

function toBound({ boundMax, boundMin }: BenchResult): string {
  const bounds = [
    boundMin === undefined ? '' : `>= ${boundMin}`,
    boundMax === undefined ? '' : `<= ${boundMax}`,
  ];
  return bounds.filter((bound) => bound !== '').join(' and ');
}

/** At once, also into a pipe: the last line must not be lost when the process ends. */
export function printLine(text: string): void {
  writeFileSync(1, `${text}\n`);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
