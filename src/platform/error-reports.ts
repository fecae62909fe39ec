import { SetupError } from '../contract/errors.js';

/** Sends errors that the log also contains to an error tracker. */
export interface ErrorReporter {
  report(error: unknown, message: string): void;
  /** Waits up to `timeoutMs` until pending reports are sent. */
  flush(timeoutMs: number): Promise<void>;
}

const sendTimeoutMs = 5_000;
const dsnPattern = /^https?:\/\/[^:@/]+(:[^@/]*)?@[^/]+\/(.*\/)?\d+$/;

/**
 * Connects to Sentry, or to a server with its protocol. Returns undefined without a DSN; throws a SetupError for a
 * malformed DSN. `component` becomes a tag of each report, for example `api`.
 */
export async function createErrorReporter(
  dsn: string | undefined,
  component: string,
): Promise<ErrorReporter | undefined> {
  if (dsn === undefined) return undefined;
  if (!dsnPattern.test(dsn)) {
    throw new SetupError('Invalid SENTRY_DSN: expected https://KEY@HOST/PROJECT', {
      hint: 'Correct SENTRY_DSN, or unset it to send no reports.',
    });
  }
  const [{ createStackParser, Scope }, { nodeStackLineParser, ServerRuntimeClient }] = await Promise.all([
    import('@sentry/core'),
    import('@sentry/core/server'),
  ]);
  const client = new ServerRuntimeClient({
    dsn,
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    // Sends the logged error alone: integrations would add data of requests and of the machine.
    integrations: [],
    sendDefaultPii: false,
    stackParser: createStackParser(nodeStackLineParser()),
    transport: await fetchTransport(),
  });
  client.init();
  const scope = new Scope();
  scope.setTag('component', component);
  return {
    report(error, message) {
      client.captureException(error, { data: { message } }, scope);
    },
    async flush(timeoutMs) {
      await client.flush(timeoutMs);
    },
  };
}

async function fetchTransport() {
  const { createTransport } = await import('@sentry/core');
  type TransportOptions = Parameters<typeof createTransport>[0] & { url: string; headers?: Record<string, string> };
  return (options: TransportOptions) =>
    createTransport(options, async ({ body }) => {
      const { status, headers } = await fetch(options.url, {
        method: 'POST',
        headers: options.headers ?? {},
        body: typeof body === 'string' ? body : new Uint8Array(body),
        signal: AbortSignal.timeout(sendTimeoutMs),
      });
      return {
        statusCode: status,
        headers: {
          'x-sentry-rate-limits': headers.get('x-sentry-rate-limits'),
          'retry-after': headers.get('retry-after'),
        },
      };
    });
}
