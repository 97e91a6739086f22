import { type FileHandle, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TopicLog, TopicRecord } from './topic-log.ts';

type Topic = { readonly records: TopicRecord[]; readonly file: FileHandle; readonly lanes: Lane[] };
type Lane = { next: number; wake: () => void };

/**
 * Topics as append-only NDJSON files, flushed to disk before an event is accepted, with one offset file a consumer
 * group. For one machine: records of a topic are held in memory, and a group handles one record at a time.
 */
export async function openFileTopicLog(directory: string): Promise<TopicLog> {
  await mkdir(directory, { recursive: true });
  const topics = new Map<string, Promise<Topic>>();
  const running: Promise<void>[] = [];
  let isClosed = false;
  const topicOf = (name: string): Promise<Topic> => {
    const known = topics.get(name) ?? openTopic(join(directory, `${encodeURIComponent(name)}.ndjson`));
    topics.set(name, known);
    return known;
  };
  const append = serialByTopic(async (name, records) => {
    const topic = await topicOf(name);
    await topic.file.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    await topic.file.datasync();
    topic.records.push(...records);
    for (const lane of topic.lanes) lane.wake();
  });
  return {
    append,
    consume: async ({ topic: name, group, handle }) => {
      const topic = await topicOf(name);
      const offsetFile = join(directory, `${encodeURIComponent(name)}.${encodeURIComponent(group)}.offset`);
      const lane: Lane = { next: await readOffset(offsetFile), wake: () => undefined };
      topic.lanes.push(lane);
      running.push(runLane(topic, lane, offsetFile, handle, () => isClosed));
    },
    close: async () => {
      isClosed = true;
      for (const topic of topics.values()) for (const lane of (await topic).lanes) lane.wake();
      await Promise.all(running);
      for (const topic of topics.values()) await (await topic).file.close();
    },
  };
}

async function runLane(
  topic: Topic,
  lane: Lane,
  offsetFile: string,
  handle: (record: TopicRecord) => Promise<void>,
  isClosed: () => boolean,
): Promise<void> {
  while (!isClosed()) {
    const record = topic.records[lane.next];
    if (record === undefined) {
      await new Promise<void>((resolve) => {
        lane.wake = resolve;
      });
      continue;
    }
    try {
      await handle(record);
    } catch (error) {
      // Only the end of the platform interrupts a delivery; the record is delivered again at the next start.
      if (isClosed()) return;
      throw error;
    }
    lane.next += 1;
    await writeOffset(offsetFile, lane.next);
  }
}

/** Appends to a topic one after the other; those that wait while one is being flushed go down together. */
function serialByTopic(
  write: (topic: string, records: readonly TopicRecord[]) => Promise<void>,
): TopicLog['append'] {
  const waiting = new Map<string, { records: TopicRecord[]; done: Promise<void> }>();
  const tails = new Map<string, Promise<void>>();
  return (topic, records) => {
    const group = waiting.get(topic);
    if (group !== undefined) {
      group.records.push(...records);
      return group.done;
    }
    const joined = [...records];
    const done = (tails.get(topic) ?? Promise.resolve()).then(() => {
      waiting.delete(topic);
      return write(topic, joined);
    });
    waiting.set(topic, { records: joined, done });
    tails.set(
      topic,
      done.catch(() => undefined),
    );
    return done;
  };
}

async function openTopic(path: string): Promise<Topic> {
  const text = await readFile(path, 'utf8').catch(absent);
  // A last line without its end was being written when the machine stopped: it was never accepted.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) await writeFile(path, whole);
  const records = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TopicRecord);
  return { records, file: await open(path, 'a'), lanes: [] };
}

async function readOffset(path: string): Promise<number> {
  return Number((await readFile(path, 'utf8').catch(absent)) || 0);
}

async function writeOffset(path: string, next: number): Promise<void> {
  // Losing the last offset only delivers a record twice, so it is renamed into place but not flushed.
  await writeFile(`${path}.new`, String(next));
  await rename(`${path}.new`, path);
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
