import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

let admin: AdminService;

beforeAll(async () => {
  admin = await startAdminService();
});
afterAll(() => admin.close());

const root = join(import.meta.dirname, '../..');

function start(env: Readonly<Record<string, string>>): { child: ChildProcess; output(): string } {
  const child = spawn(process.execPath, ['functions/admin/index.ts'], { cwd: root, env });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  return { child, output: () => text };
}

async function untilReady(child: ChildProcess, output: () => string): Promise<string> {
  const deadline = AbortSignal.timeout(50_000);
  for (;;) {
    const port = /"port":(\d+).*"Listening"/.exec(output())?.[1];
    const base = `http://127.0.0.1:${port}`;
    if (port !== undefined && (await fetch(`${base}/health/ready`)).ok) return base;
    if (deadline.aborted || child.exitCode !== null) throw new Error(`admin is not ready:\n${output()}`);
    await pause(50);
  }
}

describe('the admin process', () => {
  it('serves from its environment alone, and ends cleanly on SIGTERM', async () => {
    const { child, output } = start({
      PORT: '0',
      LOG_LEVEL: 'info',
      DATABASE_URL: admin.database.appUrl,
      WRAPPING_KEY_FILE: admin.apiKeys.wrappingKeyFile,
      ISSUER_URL: 'http://127.0.0.1:1',
      AUDIENCE: 'https://api.test',
      OBJECT_STORE_URL: 'file:///tmp/uos-none',
    });
    const ended = once(child, 'close');
    try {
      const base = await untilReady(child, output);
      const response = await fetch(`${base}/v1/organizations/platform`, {
        headers: { authorization: `Bearer ${admin.operatorKey}` },
      });
      expect([response.status, await response.json()]).toMatchObject([200, { name: 'platform' }]);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
    expect(output()).not.toContain(admin.operatorKey);
  });

  it('says all that its environment lacks at once, and does not start', async () => {
    const { child, output } = start({ PORT: '0', DATABASE_URL: 'mysql://x' });
    expect((await once(child, 'close'))[0]).not.toBe(0);
    for (const name of ['DATABASE_URL', 'WRAPPING_KEY_FILE', 'ISSUER_URL', 'AUDIENCE', 'OBJECT_STORE_URL'])
      expect(output()).toContain(name);
  });
});
