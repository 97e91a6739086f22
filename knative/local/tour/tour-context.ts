import type { Platform } from '../platform.ts';
import { type Answer, ask, expectStatus, items, text } from './client.ts';
import type { Forge } from './forge.ts';

/** What the steps of the tour learn, in order. Every value comes from a public answer. */
export type TourContext = {
  readonly platform: Platform;
  readonly forge: Forge;
  readonly startedAt: Date;
  source: { readonly id: string; readonly secret: string; readonly webhookUrl: string };
  organizationId: string;
  serviceAccountId: string;
  userId: string;
  apiKey: { readonly id: string; readonly text: string };
  oldToken: string;
  newToken: string;
  exportDirectory: string;
  verifierKeys: readonly string[];
};

export type Step = {
  readonly name: string;
  /** Does the step and says in a sentence what was seen. */
  run(context: TourContext): Promise<string>;
};

export function admin(context: TourContext, path: string): { url: string; bearer: string } {
  return { url: `${context.platform.urlOf('admin')}/v1${path}`, bearer: context.platform.operatorKey };
}

export function organizationPath(context: TourContext, path: string): { url: string; bearer: string } {
  return admin(context, `/organizations/${context.organizationId}${path}`);
}

/** The id of the item of that name in a list of the organization. */
export async function idOf(context: TourContext, list: string, name: string): Promise<string> {
  const found = items(await expectStatus(200, organizationPath(context, list))).find(
    (item) => item['name'] === name,
  );
  return text(found ?? {}, 'id');
}

/** May Ada read the report? Asked as a service would, with the reasons asked for. */
export function mayAdaRead(context: TourContext, bearer: string): Promise<Answer> {
  return ask({
    url: `${context.platform.urlOf('authorize')}/access/v1/evaluation`,
    method: 'POST',
    bearer,
    body: {
      subject: { type: 'user', id: context.userId },
      action: { name: 'read' },
      resource: { type: 'report', id: 'q3' },
      options: { reasons: true },
    },
  });
}

export function kidOf(token: string): string {
  return String(JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())['kid']);
}
