import path from 'node:path';
import { Flags } from '@oclif/core';
import type { ManagerStatus } from '../../capacity/manager.js';
import { BaseCommand } from '../../cli/base.js';
import { SetupError } from '../../contract/errors.js';

export default class CapacityRun extends BaseCommand {
  static override description = `Run the capacity manager: it launches workers when jobs wait.

With --provider local workers are processes of this machine, described in a workers file. The API comes from API_ENDPOINT
(with API_USERNAME and API_PASSWORD), or from the running local system.`;
  static override examples = [
    '<%= config.bin %> capacity run --provider local',
    '<%= config.bin %> capacity run --provider local --dry-run --once',
  ];
  static override flags = {
    provider: Flags.string({ description: 'Where workers run', options: ['ecs', 'local'], default: 'ecs' }),
    'dry-run': Flags.boolean({ description: 'Decide and print, act on nothing, take no lease' }),
    once: Flags.boolean({ description: 'Make one turn and exit' }),
    workers: Flags.string({ description: 'Workers file of the local provider', env: 'REEFGUIDE_WORKERS' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(CapacityRun);
    if (flags.provider === 'ecs') {
      throw new SetupError('The ECS provider is not part of this version', { hint: 'Use --provider local.' });
    }
    const [
      { parseEnvironment },
      { managerEnvironment },
      { homeFolder },
      { createLog },
      { startLocalCapacity, exampleWorkersFile },
      { readDevFile },
      { readLocalAccounts },
      { startMonitor },
      { untilStopped },
    ] = await Promise.all([
      import('../../config/environment.js'),
      import('../../config/manager-environment.js'),
      import('../../config/home.js'),
      import('../../cli/log.js'),
      import('../../cli/local-capacity.js'),
      import('../../cli/dev-file.js'),
      import('../../cli/service-account.js'),
      import('../../capacity/monitor.js'),
      import('../../cli/until-stopped.js'),
    ]);
    const env = parseEnvironment(managerEnvironment, process.env);
    const home = homeFolder();
    const [dev, local] = await Promise.all([readDevFile(home), readLocalAccounts(process.env)]);
    const apiUrl = env.API_ENDPOINT ?? dev?.api;
    const processorUrl = env.PROCESSOR_URL ?? dev?.processor;
    const manager =
      env.API_USERNAME && env.API_PASSWORD ? { email: env.API_USERNAME, password: env.API_PASSWORD } : local?.manager;
    const worker =
      env.WORKER_USERNAME && env.WORKER_PASSWORD
        ? { email: env.WORKER_USERNAME, password: env.WORKER_PASSWORD }
        : local?.worker;
    if (!apiUrl || !processorUrl || !manager || !worker) {
      throw new SetupError(
        'API_ENDPOINT, PROCESSOR_URL, and the accounts API_USERNAME/PASSWORD and WORKER_USERNAME/PASSWORD are not all set',
        {
          hint: 'Set them, or start the local system with `reefguide dev --no-capacity`.',
        },
      );
    }
    const log = createLog(env.LOG_LEVEL);
    const stopped = untilStopped();
    const capacity = await startLocalCapacity({
      apiUrl,
      processorUrl,
      processorToken: env.PROCESSOR_TOKEN,
      manager,
      worker,
      workersFile: path.resolve(flags.workers ?? exampleWorkersFile),
      home,
      pollIntervalMs: env.POLL_INTERVAL_MS,
      env: process.env,
      log,
      dryRun: flags['dry-run'] ? (line) => this.log(line) : undefined,
    });
    try {
      if (flags.once) {
        await capacity.manager.turn();
        this.printDecisions(capacity.manager.status());
      } else {
        const monitor = await startMonitor(capacity.manager, {
          port: env.PORT,
          host: '127.0.0.1',
          pollIntervalMs: env.POLL_INTERVAL_MS,
          now: Date.now,
        });
        log.info({ groups: capacity.groups, port: monitor.port }, 'the capacity manager runs');
        await Promise.race([capacity.manager.run(), stopped]);
        await monitor.close();
      }
    } finally {
      await capacity.stop();
    }
    log.flush();
    this.exit(0);
  }

  private printDecisions({ groups }: ManagerStatus): void {
    for (const { group, pending, inProgress, running, desired } of groups) {
      this.log(`${group}: ${pending} waiting, ${inProgress} running, ${running} workers, ${desired} desired`);
    }
  }
}
