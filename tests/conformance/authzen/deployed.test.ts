import { rm } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findOpa } from '../../../policies/build.ts';
import { createAuthorizeWorld, setScene } from '../../support/authorize-instance.ts';
import { startAuthorizeProcess } from '../../support/authorize-process.ts';
import { ask, compileScenario } from './decision-point.ts';

const opa = await findOpa();

describe.skipIf(opa === undefined)('the deployed function', () => {
  it('serves an outside world by its configuration alone: decisions, a batch, searches and discovery', async () => {
    const bundle = await compileScenario(opa ?? '', 'certification');
    const world = await createAuthorizeWorld();
    const { gateway } = await setScene(world);
    const process = await startAuthorizeProcess({
      databaseUrl: world.database.appUrl,
      wrappingKeyFile: world.keys.wrappingKeyFile,
      env: { POLICY_BUNDLE_URL: pathToFileURL(bundle).href },
    });
    const post = async (path: string, body: object) => {
      const { text } = await ask(`${process.base}/access/v1/${path}`, body, { token: gateway.text });
      return text;
    };
    const subject = { type: 'user', id: 'alice' };
    const record = { type: 'record', id: 'record-1' };
    const [read, write] = [{ name: 'read' }, { name: 'write' }];
    const evaluations = [{ action: write }, { action: write, subject: { type: 'user', id: 'bob' } }];
    const answers = [
      await post('evaluation', { subject, action: read, resource: record }),
      await post('evaluations', { subject, resource: record, evaluations }),
      await post('search/subject', { subject: { type: 'user' }, action: write, resource: record }),
      await post('search/resource', { subject, action: write, resource: { type: 'record' } }),
      await post('search/action', { subject, resource: record, page: { limit: 5 } }),
    ];
    expect(answers.map((text) => JSON.parse(text))).toEqual([
      { decision: true },
      { evaluations: [{ decision: true }, { decision: false }] },
      { results: [subject] },
      { results: [record] },
      { page: { next_token: '', count: 2 }, results: [read, write] },
    ]);
    await process.stop();
    await world[Symbol.asyncDispose]();
    await rm(bundle, { recursive: true });
  });
});
