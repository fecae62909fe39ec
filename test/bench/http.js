// HTTP client of the benchmarks: one keep-alive connection a slot, JSON in and out.
import http from 'node:http';

export function createClient(baseUrl, headers = {}, sockets = 64) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: sockets });
  const { hostname, port } = new URL(baseUrl);
  const call = (method, path, body, extra = {}) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const request = http.request(
        {
          agent,
          hostname,
          port,
          method,
          path,
          headers: {
            ...headers,
            ...extra,
            ...(text === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
          },
        },
        (response) => {
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () => {
            const received = Buffer.concat(chunks).toString();
            const json = received === '' ? undefined : JSON.parse(received);
            resolve({ status: response.statusCode, body: json });
          });
        },
      );
      request.on('error', reject);
      request.end(text);
    });
  return {
    call,
    async ok(method, path, body) {
      const answer = await call(method, path, body);
      if (answer.status >= 300)
        throw new Error(`${method} ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    close: () => agent.destroy(),
  };
}

/** Runs `work` in `count` loops at once until each returns false. Returns the seconds. */
export async function race(count, work) {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      while ((await work(n)) !== false);
    }),
  );
  return (performance.now() - began) / 1000;
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
