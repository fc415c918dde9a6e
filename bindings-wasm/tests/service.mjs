// A service on a port of this machine, that answers as a function says.
import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * `answer(queries, request, response)` gives the results of a request, one for each query, or takes
 * the response in its own hands and gives nothing.
 */
export async function serve(t, answer) {
  const server = createServer(async (request, response) => {
    const queries = JSON.parse(Buffer.concat(await request.toArray()));
    service.requests += 1;
    service.open += 1;
    service.most = Math.max(service.most, service.open);
    response.once('close', () => {
      service.open -= 1;
    });
    const results = await answer(queries, request, response);
    if (results !== undefined) {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(results));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${server.address().port}/v1/extract`;
  const service = { endpoint, server, requests: 0, open: 0, most: 0 };
  t?.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return service;
}

/** The result of a query whose item tells the URL. */
export const page = (query) => ({
  query: { id: '1-a', domain: 'example.com', userQuery: query },
  [query.pageType]: { url: query.url },
});

/** So many queries, over a few domains. */
export const queries = (count) =>
  Array.from({ length: count }, (_, index) => ({
    url: `http://s${index % 9}.example/${index}`,
    pageType: 'article',
  }));
