import { parseArgs } from 'node:util';
import { type Bench, isWithinBound, printLine, toReport, toTable } from './bench-result.ts';

/** Each area measures itself; its module is loaded only when it is asked for. */
const areas: Readonly<Record<string, () => Promise<Bench>>> = {
  authorize: async () => (await import('./authorize.ts')).benchAuthorize,
  keys: async () => (await import('./keys.ts')).benchKeys,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    rate: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const area = positionals[0] ?? '';
const load = Object.hasOwn(areas, area) ? areas[area] : undefined;

if (load === undefined) {
  process.stderr.write(
    `Usage: npm run bench -- <${Object.keys(areas).join(' | ')}> [--json] [--full | --quick]\n`,
  );
  process.stderr.write('         [--only <part>]... [--rate <arrivals per second>] [--seconds <duration>]\n');
  process.exitCode = 2;
} else {
  const bench = await load();
  const results = await bench({
    full: values.full,
    quick: values.quick,
    ...(values.only === undefined ? {} : { only: values.only }),
    ...(values.rate === undefined ? {} : { rate: Number(values.rate) }),
    ...(values.seconds === undefined ? {} : { seconds: Number(values.seconds) }),
    progress: (line) => void process.stderr.write(`${line}\n`),
  });
  printLine(values.json ? toReport(area, results) : toTable(results));
  if (!results.every(isWithinBound)) process.exitCode = 1;
}
