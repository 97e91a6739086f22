import { expect, test } from 'vitest';
import { z } from 'zod';
import { hasWholeCredentials, objectStoreConfig, readConfig, toObjectStoreLocation } from './index.ts';

const schema = z.object(objectStoreConfig).refine(...hasWholeCredentials);
const url = 's3://bucket?endpoint=https://s3.example.test';

test('a directory needs no credentials', () => {
  const env = { OBJECT_STORE_URL: 'file:///objects', OBJECT_STORE_ACCESS_KEY_ID: '' };
  expect(toObjectStoreLocation(readConfig(schema, env))).toEqual({ url: 'file:///objects' });
});

test('credentials are taken whole', () => {
  const env = {
    OBJECT_STORE_URL: url,
    OBJECT_STORE_ACCESS_KEY_ID: 'id',
    OBJECT_STORE_SECRET_ACCESS_KEY: 'secret',
  };
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' };
  expect(toObjectStoreLocation(readConfig(schema, env))).toEqual({ url, credentials });
});

// Threat: the half that is there is ignored, and the first export or bundle is what finds it out.
test.each([{ OBJECT_STORE_ACCESS_KEY_ID: 'id' }, { OBJECT_STORE_SECRET_ACCESS_KEY: 'secret' }])(
  'refuses half of them at start: %j',
  (half) => {
    const read = () => readConfig(schema, { OBJECT_STORE_URL: url, ...half });
    expect(read).toThrow('OBJECT_STORE_SECRET_ACCESS_KEY: comes with OBJECT_STORE_ACCESS_KEY_ID');
  },
);
