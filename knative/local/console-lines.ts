/** What the platform prints: progress of its start, and the log lines of its functions made readable. */
export type ConsoleLines = {
  /** Runs one start-up step and prints it with its time. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  line(text: string): void;
  /** A line that a function wrote: JSON becomes words, anything else passes. */
  log(service: string, line: string): void;
};

const shown = new Set(['info', 'warn', 'error']);

export function createConsoleLines(options: {
  write: (text: string) => void;
  isColoured: boolean;
  showInfo: boolean;
}): ConsoleLines {
  const paint = (code: number, text: string) =>
    options.isColoured ? `\u001b[${code}m${text}\u001b[0m` : text;
  const line = (text: string) => options.write(`${text}\n`);
  return {
    line,
    step: async (name, work) => {
      const started = performance.now();
      try {
        const result = await work();
        line(`  ${paint(32, 'ok')}   ${name.padEnd(46)} ${seconds(performance.now() - started)}`);
        return result;
      } catch (error) {
        line(`  ${paint(31, 'fail')} ${name.padEnd(46)} ${seconds(performance.now() - started)}`);
        throw error;
      }
    },
    log: (service, text) => {
      const entry = parseEntry(text);
      if (entry === undefined) return line(`${paint(2, service.padEnd(13))} ${text}`);
      const { level, time, msg, error, ...fields } = entry;
      if (!shown.has(String(level)) || (level === 'info' && !options.showInfo)) return;
      const colour = level === 'error' ? 31 : level === 'warn' ? 33 : 2;
      const words = Object.entries(fields)
        .filter(([name]) => name !== 'service' && name !== 'name')
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
      line(
        [
          paint(2, String(time).slice(11, 19)),
          paint(colour, service.padEnd(13)),
          String(msg),
          paint(2, words.join(' ')),
          reason(error),
        ]
          .filter((part) => part !== '')
          .join(' '),
      );
    },
  };
}

function parseEntry(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reason(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  return String(Reflect.get(error, 'stack') ?? Reflect.get(error, 'message') ?? '');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`.padStart(8);
}
