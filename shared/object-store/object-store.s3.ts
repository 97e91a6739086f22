import { invariant } from '../kernel/index.ts';
import { isObjectKey, requireObjectKey } from './object-key.ts';
import { checkPageRequest, toObjectPage } from './object-page.ts';
import { type ObjectPage, type ObjectStore, ObjectStoreError, objectBytesMax } from './object-store.ts';
import {
  describe,
  type S3Answer,
  type S3Deps,
  type S3Request,
  type S3Settings,
  sendS3,
} from './s3-request.ts';

/** A bucket of any S3-compatible service. The bucket exists already: its lock and lifecycle are the operator's. */
export function createS3ObjectStore(settings: S3Settings, deps: S3Deps): ObjectStore {
  const send = async (request: S3Request, absent?: string): Promise<S3Answer | undefined> => {
    const answer = await sendS3(settings, deps, request);
    if (answer.status >= 200 && answer.status < 300) return answer;
    const code = textOf(answer).match(/<Code>([^<]*)<\/Code>/)?.[1] ?? 'no code';
    if (answer.status === 404 && code === absent) return undefined;
    throw new ObjectStoreError(`${describe(settings, request)} was answered ${answer.status} ${code}`);
  };
  return {
    put: async (key, body, { contentType }) => {
      requireObjectKey(key);
      invariant(body.byteLength <= objectBytesMax, `object "${key}" has ${body.byteLength} bytes`);
      await send({ method: 'PUT', key, body, contentType });
    },
    get: async (key) => {
      requireObjectKey(key);
      return (await send({ method: 'GET', key }, 'NoSuchKey'))?.body;
    },
    delete: async (key) => {
      requireObjectKey(key);
      await send({ method: 'DELETE', key }, 'NoSuchKey');
    },
    list: async (prefix, page = {}) => {
      const { after, limit } = checkPageRequest(prefix, page);
      const query = {
        'list-type': '2',
        'max-keys': String(limit),
        prefix,
        ...(after && { 'start-after': after }),
      };
      const answer = await send({ method: 'GET', query });
      return toListing(answer === undefined ? '' : textOf(answer));
    },
  };
}

/** ListObjectsV2. A key that is not ours is left out, and the next page starts after it all the same. */
function toListing(xml: string): ObjectPage {
  const listed = [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => unescapeXml(match[1] ?? ''));
  const isLast = !/<IsTruncated>true<\/IsTruncated>/.test(xml);
  return toObjectPage(listed.filter(isObjectKey), isLast, listed.at(-1));
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** XML 1.0 section 4.6 and 4.1. */
function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
    if (name !== undefined) return entities[name] ?? whole;
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal));
  });
}

function textOf(answer: S3Answer): string {
  return new TextDecoder().decode(answer.body);
}
