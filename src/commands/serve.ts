import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/command/base-command.js';
import { waitForStopSignal } from '../cli/command/signals.js';
import { homeDirectory } from '../platform/home.js';

export default class Serve extends BaseCommand {
  static override description = `Run the API as in production.

Uses the embedded database of REEFGUIDE_HOME without DATABASE_URL, except under NODE_ENV=production.`;
  static override examples = ['reefguide serve', 'reefguide serve --port 5000 --processor-port 8081'];
  static override flags = {
    port: Flags.integer({ description: 'Port of the API', default: 5000, env: 'PORT', min: 0, max: 65_535 }),
    host: Flags.string({ description: 'Address to listen on', default: '127.0.0.1', env: 'HOST' }),
    'processor-port': Flags.integer({
      description: 'Port of the event processor (default: none)',
      env: 'RUNVOY_EVENT_PROCESSOR_PORT',
      min: 0,
      max: 65_535,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Serve);
    const { RequestLog } = await import('../audit/request-log.js');
    const { prepareServer } = await import('../server/prepare.js');
    const { startServer } = await import('../server/start.js');
    const requestLog = new RequestLog();
    const { environment, log, errorReporter } = await prepareServer(process.env, requestLog);
    const stopped = waitForStopSignal();
    const started = await startServer({
      environment,
      home: homeDirectory(),
      log,
      requestLog,
      host: flags.host,
      apiPorts: [flags.port],
      processorPort: flags['processor-port'],
    });
    for (const { url } of started.api) log.info({ url }, 'the API listens');
    if (started.processor) log.info({ url: started.processor.url }, 'the event processor listens');
    const signal = await stopped;
    log.info({ signal }, 'stopping');
    await started.stop();
    log.info('stopped');
    await errorReporter?.flush(2_000);
    log.flush();
    this.exit(0);
  }
}
