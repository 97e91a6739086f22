import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import * as sdk from '@open-policy-agent/opa-wasm';

// The package's types declare as a named export what its ES module has only inside the default one.
const { loadPolicy } = (sdk as unknown as { default: typeof sdk }).default;

const [port, bundle = '', factsFile = ''] = process.argv.slice(2);
const policy = await loadPolicy(readFileSync(join(bundle, 'authz.wasm')));
policy.setData(JSON.parse(readFileSync(join(bundle, 'data.json'), 'utf8')));
const facts = JSON.parse(readFileSync(factsFile, 'utf8'));

/** Reads a question, lays it over the facts of its subject, and answers what the policy says. */
const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (chunk: Buffer) => chunks.push(chunk));
  req.on('end', () => {
    const text = Buffer.concat(chunks).toString('utf8');
    if (text === '') return void res.end();
    const question = JSON.parse(text);
    const subject = { ...facts.subject, ...question.subject };
    const now = Math.floor(Date.now() / 1000);
    const [answer] = policy.evaluate({ ...facts, ...question, subject, now }, 'uos/authz/decision');
    const body = JSON.stringify({ decision: answer.result.decision });
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
});
server.keepAliveTimeout = 620_000;
server.listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
