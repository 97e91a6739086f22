import { writeFileSync } from 'node:fs';

/** One figure. With a bound it can be missed; without one it is for the reader. */
export type BenchResult = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly boundMax?: number;
};

export type BenchOptions = {
  /** Arrivals per second, and for how long. */
  readonly rate: number;
  readonly seconds: number;
  /** A small data set, to see that the bench works. */
  readonly quick: boolean;
  progress(line: string): void;
};

export type Bench = (options: BenchOptions) => Promise<readonly BenchResult[]>;

export function isWithinBound({ value, boundMax }: BenchResult): boolean {
  return boundMax === undefined || value <= boundMax;
}

/** The last line of every bench with --json. */
export function toReport(bench: string, results: readonly BenchResult[]): string {
  return JSON.stringify({
    bench,
    ok: results.every(isWithinBound),
    results: results.map((result) => ({
      name: result.name,
      value: rounded(result.value),
      unit: result.unit,
      ...(result.boundMax === undefined ? {} : { bound: `<= ${result.boundMax}` }),
      ok: isWithinBound(result),
    })),
  });
}

export function toTable(results: readonly BenchResult[]): string {
  const rows = results.map((result) => [
    result.name,
    `${rounded(result.value)} ${result.unit}`,
    result.boundMax === undefined ? '' : `<= ${result.boundMax}`,
    result.boundMax === undefined ? '' : isWithinBound(result) ? 'ok' : 'MISSED',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

/** At once, also into a pipe: the last line must not be lost when the process ends. */
export function printLine(text: string): void {
  writeFileSync(1, `${text}\n`);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
