import { createServer } from 'node:http';

/** What the platform itself costs: reads the body, answers a constant. Prints its port. */
const server = createServer((req, res) => {
  req.resume().on('end', () => {
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"decision":true}');
  });
});
server.keepAliveTimeout = 620_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
process.once('SIGTERM', () => process.exit(0));
