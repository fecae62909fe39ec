import { SetupError } from '../contract/errors.js';

/** Tells an error tracker of errors that the log holds too. */
export interface ErrorReports {
  report(error: unknown, message: string): void;
  /** Waits for what is being sent, up to so many milliseconds. */
  flush(timeoutMs: number): Promise<void>;
}

const sendWithinMs = 5_000;

/** Reports to Sentry, or to what speaks its protocol; undefined without a DSN. */
export async function errorReports(dsn: string | undefined, component: string): Promise<ErrorReports | undefined> {
  if (dsn === undefined) return undefined;
  if (!/^https?:\/\/[^:@/]+(:[^@/]*)?@[^/]+\/(.*\/)?\d+$/.test(dsn)) {
    throw new SetupError('SENTRY_DSN is no Sentry DSN', {
      hint: 'It looks like https://KEY@HOST/PROJECT; unset it for no reports.',
    });
  }
  const [{ createStackParser, createTransport, Scope }, { nodeStackLineParser, ServerRuntimeClient }] =
    await Promise.all([import('@sentry/core'), import('@sentry/core/server')]);
  const client = new ServerRuntimeClient({
    dsn,
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    // What was logged, and nothing that is gathered on the way.
    integrations: [],
    sendDefaultPii: false,
    stackParser: createStackParser(nodeStackLineParser()),
    transport: (options) =>
      createTransport(options, async ({ body }) => {
        const { status, headers } = await fetch(options.url, {
          method: 'POST',
          headers: options.headers ?? {},
          body: typeof body === 'string' ? body : new Uint8Array(body),
          signal: AbortSignal.timeout(sendWithinMs),
        });
        return {
          statusCode: status,
          headers: {
            'x-sentry-rate-limits': headers.get('x-sentry-rate-limits'),
            'retry-after': headers.get('retry-after'),
          },
        };
      }),
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
