import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goTool } from '../../knative/local/go-tool.ts';
import { ensureDebianPackages } from '../support/debian-packages.ts';

const run = promisify(execFile);

/** One question, asked again and again, with the only right answer. */
export type LoadTarget = {
  readonly base: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  isRight(answer: string): boolean;
};

export type PeakLoad = {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
};

/** The server's core and the load generator's; whoever has fewer than two cannot compare servers. */
export const cores = { server: '0', load: '1' };

/** Undefined when everything is there, else what is missing. */
export function missingForPeaks(): string | undefined {
  if (availableParallelism() < 2) return 'needs two cores';
  ensureDebianPackages([
    { name: 'wrk', program: 'wrk' },
    { name: 'util-linux', program: 'taskset' },
  ]);
  const lacking = ['wrk', 'taskset'].filter((name) => spawnSync('which', [name]).status !== 0);
  return lacking.length === 0 ? undefined : `${lacking.join(' and ')} cannot be had here`;
}

/** Binds every thread of a process that runs already. */
export async function pinToServerCore(pid: number): Promise<void> {
  await run('taskset', ['-acp', cores.server, String(pid)]);
}

/** As many answers as can be had over 16 connections from the other core. */
export async function measurePeak(target: LoadTarget, seconds: number, directory: string): Promise<PeakLoad> {
  const script = join(directory, 'question.lua');
  await writeFile(script, toLua(target));
  const args = [
    '-c',
    cores.load,
    'wrk',
    '-t1',
    '-c16',
    `-d${seconds}s`,
    '-s',
    script,
    `${target.base}${target.path}`,
  ];
  const { stdout } = await run('taskset', args, { timeout: (seconds + 60) * 1000 });
  const [requests, micros, p50, p99, failed] = (/^UOS (.*)$/m.exec(stdout)?.[1] ?? '').split(' ').map(Number);
  return {
    perSecond: ((requests ?? Number.NaN) / (micros ?? Number.NaN)) * 1e6,
    p50Ms: (p50 ?? Number.NaN) / 1000,
    p99Ms: (p99 ?? Number.NaN) / 1000,
    failed: failed ?? Number.NaN,
  };
}

function toLua({ headers, body }: LoadTarget): string {
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`);
  return `wrk.method = "POST"
wrk.body = [==[${body}]==]
${lines.join('\n')}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("UOS %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
`;
}

/** Latencies in milliseconds by status, sorted, of a fixed arrival rate from the other core. */
export type FixedLoad = ReadonlyMap<number, Float64Array>;

export function findVegeta(): Promise<string | undefined> {
  return goTool({ name: 'vegeta', version: '12.12.0', module: 'github.com/tsenart/vegeta/v12' });
}

export async function runFixedRate(
  vegeta: string,
  target: LoadTarget,
  { perSecond, seconds, directory }: { perSecond: number; seconds: number; directory: string },
): Promise<FixedLoad> {
  const body = join(directory, 'question.json');
  const targets = join(directory, 'targets.txt');
  await writeFile(body, target.body);
  const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}`);
  await writeFile(targets, [`POST ${target.base}${target.path}`, ...headers, `@${body}`, ''].join('\n'));
  const results = join(directory, 'results.bin');
  const attack = ['attack', `-targets=${targets}`, `-rate=${Math.round(perSecond)}`, `-duration=${seconds}s`];
  const timeout = (seconds + 60) * 1000;
  await run('taskset', ['-c', cores.load, vegeta, ...attack, '-max-workers=256', `-output=${results}`], {
    timeout,
  });
  // Afterwards, since it is work: it would share a core with the server. Codes and latencies alone: the answers are
  // the same ones that were compared before.
  const rows = `${vegeta} encode -to csv ${results} | cut -d, -f2,3`;
  const { stdout } = await run('sh', ['-c', rows], { maxBuffer: 2 ** 30, timeout });
  const byStatus = Map.groupBy(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(',').map(Number)),
    ([status]) => status ?? 0,
  );
  return new Map(
    [...byStatus].map(([status, rows]) => [
      status,
      Float64Array.from(rows, (row) => (row[1] ?? 0) / 1e6).sort(),
    ]),
  );
}

/** Whether the server says what is right, before it is asked how fast. */
export async function isAnsweredRight({ base, path, headers, body, isRight }: LoadTarget): Promise<boolean> {
  const response = await fetch(`${base}${path}`, { method: 'POST', headers, body });
  return response.status === 200 && isRight(await response.text());
}

/**
 * Questions of a file, `<authorization> <body>` a line, in turn, for about as many answers. Over few connections: what is
 * read for the first time takes long, and sixteen of them at once are shed.
 */
export async function measureManyPeak(
  url: string,
  questions: string,
  requestsWanted: number,
  directory: string,
): Promise<{ requests: number; failed: number }> {
  const script = join(directory, 'questions.lua');
  await writeFile(script, manyLua(url, questions));
  let requests = 0;
  let failed = 0;
  while (requests < requestsWanted) {
    const args = ['-c', cores.load, 'wrk', '-t1', '-c4', '-d5s', '-s', script, url];
    const { stdout } = await run('taskset', args, { timeout: 60_000 });
    const [done, bad] = (/^UOS (.*)$/m.exec(stdout)?.[1] ?? '').split(' ').map(Number);
    if (done === undefined || bad === undefined) throw new Error(`wrk said: ${stdout}`);
    requests += done;
    failed += bad;
  }
  return { requests, failed };
}

function manyLua(url: string, questions: string): string {
  // Formatted in init: before it there is no Host header.
  return `local requests = {}
init = function()
  for line in io.lines("${questions}") do
    local scheme, key, body = line:match("^(%S+) (%S+) (.*)$")
    local headers = { ["authorization"] = scheme .. " " .. key, ["content-type"] = "application/json" }
    requests[#requests + 1] = wrk.format("POST", "${new URL(url).pathname}", headers, body)
  end
end
local n = 0
request = function()
  n = n % #requests + 1
  return requests[n]
end
done = function(summary)
  local e = summary.errors
  io.write(string.format("UOS %d %d\\n", summary.requests, e.status + e.connect + e.read + e.write + e.timeout))
end
`;
}
