import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { toolCache } from './tool-cache.ts';

const run = promisify(execFile);
const kafkaVersion = '4.1.0';
const loggingVersion = '2.24.3';
const downloadTimeoutMs = 300_000;

const project = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>${loggingVersion}</version>
    </dependency>
  </dependencies>
</project>
`;

/**
 * The folder that holds Kafka's jars: from the tools' cache, else fetched into it with Maven (43 MB, once). Undefined,
 * with the reason on stderr, where Java or Maven is missing; in CI that throws instead.
 */
export async function findKafka(): Promise<string | undefined> {
  const target = join(toolCache(), `kafka@${kafkaVersion}`);
  try {
    await run('java', ['-version'], { timeout: 30_000 });
    if (!existsSync(target)) await download(target);
    return target;
  } catch (error) {
    if (process.env['CI']) throw new Error(`Kafka ${kafkaVersion} could not be had`, { cause: error });
    process.stderr.write(`Kafka is not available: ${error instanceof Error ? error.message : error}\n`);
    return undefined;
  }
}

/** Fetched beside the target and renamed: a half-filled folder is never found, and two runs at once do no harm. */
async function download(target: string): Promise<void> {
  process.stderr.write(`fetching Kafka ${kafkaVersion} into ${target} (once; it stays in the cache)\n`);
  await mkdir(dirname(target), { recursive: true });
  const scratch = await mkdtemp(`${target}.fetching-`);
  try {
    await writeFile(join(scratch, 'pom.xml'), project);
    const goal = ['--batch-mode', '--quiet', 'dependency:copy-dependencies', '-DincludeScope=runtime'];
    await run('mvn', [...goal, '-DoutputDirectory=jars'], { cwd: scratch, timeout: downloadTimeoutMs });
    const jars = await readdir(join(scratch, 'jars'));
    if (!jars.includes(`kafka_2.13-${kafkaVersion}.jar`)) throw new Error('Maven brought no Kafka');
    await rename(join(scratch, 'jars'), target).catch(async (error: unknown) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
