import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { serve } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { createPep, honoPep, type Question, type RouteMatch } from 'user-org-service-pep';

const { values: flags } = parseArgs({
  options: {
    pdp: { type: 'string', default: 'http://127.0.0.1:8080' },
    'credential-file': { type: 'string', default: '.uos/local/operator-key' },
    port: { type: 'string', default: '3000' },
    'timeout-ms': { type: 'string', default: '1000' },
  },
});

const pep = createPep({
  url: flags.pdp,
  // Read at each call: a key that was rotated is taken up without a restart.
  credential: () => readFile(flags['credential-file'], 'utf8'),
  timeoutMs: Number(flags['timeout-ms']),
  onError: ({ code, status }) => process.stderr.write(`No decision: ${code} ${status ?? ''}\n`),
});

/** One rule for the whole server: the route says what is asked for, GET that it is read. */
const resourceTypes: Readonly<Record<string, string>> = {
  '/organizations/:id': 'organization',
  '/documents/:id': 'document',
};

function toQuestion({ method, route, params, request }: RouteMatch<Context>): Question | undefined {
  const [type, id] = [resourceTypes[route], params['id']];
  const subject = whoAsks(request);
  const isRead = method === 'GET' || method === 'HEAD';
  if (type === undefined || id === undefined || subject === undefined || !isRead) return undefined;
  return { subject, action: { name: 'read' }, resource: { type, id } };
}

/** Stands in for the sign-in a real service has: never believe such a header outside a demonstration. */
function whoAsks({ req }: Context): Question['subject'] | undefined {
  const [type, id] = req.header('x-demo-subject')?.split(':') ?? [];
  return type && id ? { type, id } : undefined;
}

const app = new Hono();
app.get('/organizations/:id', honoPep(pep, toQuestion), (c) => c.text(`organization ${c.req.param('id')}\n`));
app.get('/documents/:id', honoPep(pep, toQuestion), (c) => c.text(`document ${c.req.param('id')}\n`));

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(flags.port) }, ({ port }) => {
  process.stdout.write(`Listening on http://127.0.0.1:${port}\n`);
});
process.once('SIGTERM', () => server.close());
