import { readArguments, runProgram, UsageError } from '../../knative/local/command-line.ts';
import {
  type Bench,
  type BenchOptions,
  isWithinBound,
  printLine,
  toReport,
  toTable,
} from './bench-result.ts';

const usage = `usage: npm run bench -- <authorize | keys> [--full | --quick] [--only <part>[,<part>]] [--json]
                                        [--rate <arrivals per second>] [--seconds <duration>]

Measures one area, part after part, on this machine; progress goes to standard error, the figures to standard output.

  authorize   rates, peers, overload, loss, revocation, memory: an hour, of which memory is the half
              --rate and --seconds: \`rates\` with one rate of your own
  keys        changes, revocation, repeppering, verification
  --full      at the customer's scale, 20 000 organizations, 200 000 users, 500 000 keys: what is done without an option
  --quick     every part over a small seed, to see that the bench works; \`keys\` takes two minutes even so
  --only      these parts alone
  --json      one line of JSON at the end in place of the table

Exit code: 0 every bound held, 1 one was missed, 2 nothing was measured.`;

/** Each area measures itself; its module is loaded only when it is asked for. */
const areas: Readonly<Record<string, () => Promise<Bench>>> = {
  authorize: async () => (await import('./authorize.ts')).benchAuthorize,
  keys: async () => (await import('./keys.ts')).benchKeys,
};

await runProgram(usage, async (args) => {
  const given = readArguments(args, {
    options: ['only', 'rate', 'seconds'],
    flags: ['json', 'full', 'quick'],
  });
  const [area = '', ...others] = given.places;
  const load = Object.hasOwn(areas, area) ? areas[area] : undefined;
  if (load === undefined || others.length > 0) throw new UsageError('Name one area');
  const options = readOptions(given);
  const results = await (await load())(options);
  printLine(given.flag('json') ? toReport(area, results) : toTable(results));
  return results.every(isWithinBound);
});

function readOptions(given: ReturnType<typeof readArguments>): BenchOptions {
  const only = given.option('only');
  if (given.flag('full') && given.flag('quick')) throw new UsageError('--full or --quick, not both');
  return {
    quick: given.flag('quick'),
    ...positive(given.option('rate'), 'rate'),
    ...positive(given.option('seconds'), 'seconds'),
    ...(only === undefined ? {} : { only: only.split(',') }),
    progress: (line: string) => void process.stderr.write(`${line}\n`),
  };
}

function positive(text: string | undefined, name: 'rate' | 'seconds'): { rate?: number; seconds?: number } {
  if (text === undefined) return {};
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new UsageError(`--${name} is a number above 0`);
  return { [name]: value };
}
