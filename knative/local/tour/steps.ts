import { allowInsecureRequests, clientCredentialsGrant, discovery } from 'openid-client';
import { expectStatus, items, text, until } from './client.ts';
import { acme, readersFile } from './declarations.ts';
import {
  admin,
  idOf,
  kidOf,
  mayAdaRead,
  organizationPath,
  type Step,
  type TourContext,
} from './tour-context.ts';

export const declareOrganization: Step = {
  name: 'declare',
  run: async (context) => {
    const registered = await expectStatus(201, {
      ...admin(context, '/git-sources'),
      method: 'POST',
      body: { url: context.forge.repositoryUrl, ref: 'main' },
    });
    const id = text(registered, 'id');
    const webhookUrl = `${context.platform.urlOf('git-webhook')}/webhooks/github/${id}`;
    context.source = { id, webhookUrl, secret: text(registered, 'webhookSecret') };
    const { commit, ms } = await pushAndConverge(context, acme, 'Declare Acme');
    context.organizationId = text(await expectStatus(200, admin(context, '/organizations/acme')), 'id');
    context.serviceAccountId = await idOf(context, '/service-accounts', 'ci');
    context.userId = await idOf(context, '/members', 'ada');
    const bindings = items(await expectStatus(200, organizationPath(context, '/role-bindings')));
    return `Commit ${commit.slice(0, 7)} declared acme: 2 people, 2 teams, 1 role, 1 service account, ${bindings.length} bindings; converged ${ms} ms after the push`;
  },
};

export const issueKey: Step = {
  name: 'issue-key',
  run: async (context) => {
    const issued = await expectStatus(201, {
      ...organizationPath(context, `/service-accounts/${context.serviceAccountId}/api-keys`),
      method: 'POST',
      body: { description: 'Tour', environment: 'live' },
    });
    context.apiKey = { id: text(issued, 'id'), text: text(issued, 'text') };
    return `Service account ci has key ${text(issued, 'fingerprint')}; its text was shown once`;
  },
};

export const getToken: Step = {
  name: 'token',
  run: async (context) => {
    context.oldToken = await mint(context);
    return `The key bought a five-minute access token, signed by key ${kidOf(context.oldToken).slice(0, 8)}`;
  },
};

export const decide: Step = {
  name: 'decide',
  run: async (context) => {
    const asked = await mayAdaRead(context, context.oldToken);
    demand(asked.body['decision'] === true, `Ada may read reports: ${JSON.stringify(asked.body)}`);
    const refused = await expectStatus(200, {
      url: `${context.platform.urlOf('authorize')}/access/v1/evaluation`,
      method: 'POST',
      bearer: context.apiKey.text,
      body: {
        subject: { type: 'user', id: context.userId },
        action: { name: 'delete' },
        resource: { type: 'report', id: 'q3' },
        options: { reasons: true },
      },
    });
    demand(refused['decision'] === false, 'Ada may not delete reports');
    return `Ada may read a report (through her team), and may not delete it: ${reasonOf(refused)}`;
  },
};

export const removeRole: Step = {
  name: 'remove-role',
  run: async (context) => {
    const { commit, ms } = await pushAndConverge(context, { [readersFile]: null }, 'Take the reports back');
    const flipped = await until('The decision', 10_000, async () => {
      const { body } = await mayAdaRead(context, context.oldToken);
      return body['decision'] === false ? body : undefined;
    });
    return `Commit ${commit.slice(0, 7)} removed the binding, converged after ${ms} ms; the same question is now denied: ${reasonOf(flipped)}`;
  },
};

export const rotateSigningKey: Step = {
  name: 'rotate-signing-key',
  run: async (context) => {
    await expectStatus(202, { ...admin(context, '/signing-keys/rotate'), method: 'POST' });
    const oldKid = kidOf(context.oldToken);
    context.newToken = await until('A token signed by a new key', 30_000, async () => {
      const token = await mint(context);
      return kidOf(token) === oldKid ? undefined : token;
    });
    const jwks = await expectStatus(200, { url: `${context.platform.urlOf('token')}/jwks` });
    const kids = (Array.isArray(jwks['keys']) ? jwks['keys'] : []).map((key) =>
      String(Reflect.get(key, 'kid')),
    );
    demand(kids.includes(oldKid) && kids.includes(kidOf(context.newToken)), 'Both keys are published');
    for (const token of [context.oldToken, context.newToken]) {
      const { status } = await mayAdaRead(context, token);
      demand(status === 200, `A token of each key is accepted, but one was answered ${status}`);
    }
    return `New tokens are signed by key ${kidOf(context.newToken).slice(0, 8)}, published before its first use; the token signed by ${oldKid.slice(0, 8)} still verifies`;
  },
};

export const revokeKey: Step = {
  name: 'revoke-key',
  run: async (context) => {
    demand(
      (await mayAdaRead(context, context.apiKey.text)).status === 200,
      'The key works before it is revoked',
    );
    const started = performance.now();
    await expectStatus(200, {
      ...organizationPath(context, `/api-keys/${context.apiKey.id}/revoke`),
      method: 'POST',
      body: { reason: 'The tour ends' },
    });
    const acknowledged = performance.now();
    await until('The refusal', 5_000, async () =>
      (await mayAdaRead(context, context.apiKey.text)).status === 401 ? true : undefined,
    );
    const ms = Math.round(performance.now() - acknowledged);
    const refused = await mint(context).then(
      () => undefined,
      (error: unknown) => error,
    );
    demand(refused !== undefined, 'A revoked key buys no token');
    return `Revoked in ${Math.round(acknowledged - started)} ms, refused by the decision point at most ${ms} ms later, and it buys no token any more`;
  },
};

async function pushAndConverge(
  context: TourContext,
  files: Readonly<Record<string, string | null>>,
  message: string,
): Promise<{ commit: string; ms: number }> {
  const commit = await context.forge.push({
    files,
    message,
    webhookUrl: context.source.webhookUrl,
    secret: context.source.secret,
  });
  const pushed = performance.now();
  await until(`Commit ${commit}`, 60_000, async () => {
    const source = await expectStatus(200, admin(context, `/git-sources/${context.source.id}`));
    return source['appliedCommit'] === commit ? true : undefined;
  });
  return { commit, ms: Math.round(performance.now() - pushed) };
}

/** By a certified client, as any other party would. */
async function mint(context: TourContext): Promise<string> {
  const issuer = new URL(context.platform.urlOf('token'));
  return retried(async () => {
    const configuration = await discovery(issuer, context.serviceAccountId, context.apiKey.text, undefined, {
      execute: [allowInsecureRequests],
    });
    return (await clientCredentialsGrant(configuration)).access_token;
  });
}

/** The issuer may be away for a moment; a refusal is an answer and is not asked for again. */
async function retried<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isRefusal = error instanceof Error && 'status' in error && Number(error.status) < 500;
      if (isRefusal || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function reasonOf(body: Record<string, unknown>): string {
  const context = body['context'];
  return String(
    typeof context === 'object' && context !== null ? Reflect.get(context, 'code') : 'no reason given',
  );
}

export function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(`This did not hold: ${what}`);
}
