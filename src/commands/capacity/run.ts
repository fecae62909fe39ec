import { Flags } from '@oclif/core';
import type { Logger } from 'pino';
import type { ManagerStatus } from '../../capacity/manager/manager.js';
import type { Capacity } from '../../cli/capacity/running-capacity.js';
import { BaseCommand } from '../../cli/command/base-command.js';

export default class CapacityRun extends BaseCommand {
  static override description = `Run the capacity manager: it launches workers when jobs wait.

On ECS its environment says what it needs (see docs/capacity-manager.md); an .env file in the working directory is read
when it is there, and \`capacity build-env\` writes one. With --provider local workers are processes of this machine,
described in a workers file, and the API is the running local system unless API_ENDPOINT names one.`;
  static override examples = [
    '<%= config.bin %> capacity run',
    '<%= config.bin %> capacity run --dry-run',
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
    const [
      { loadEnvFile },
      { parseEnvironment },
      { managerEnvironment },
      { createErrorReporter },
      { createLog },
      { untilStopped },
    ] = await Promise.all([
      import('../../environment/env-file.js'),
      import('../../environment/server.js'),
      import('../../environment/capacity-manager.js'),
      import('../../platform/error-reports.js'),
      import('../../platform/log.js'),
      import('../../cli/command/signals.js'),
    ]);
    await loadEnvFile('.env', process.env);
    const { PORT, HOST, POLL_INTERVAL_MS, LOG_LEVEL, SENTRY_DSN } = parseEnvironment(managerEnvironment, process.env);
    const errorReporter = await createErrorReporter(SENTRY_DSN, 'capacity');
    const log = createLog(LOG_LEVEL, { errorReporter });
    const dryRun = flags['dry-run'];
    const onTurn = dryRun || flags.once ? await this.printer(dryRun) : undefined;
    const start = flags.provider === 'ecs' ? startEcs : startLocal;
    const stopped = untilStopped();
    const capacity = await start(process.env, { log, dryRun, onTurn, workersFile: flags.workers });
    try {
      if (flags.once) {
        await Promise.race([capacity.manager.once(), stopped]);
      } else {
        const { startMonitor } = await import('../../cli/capacity/monitor.js');
        const monitor = await startMonitor(capacity.manager, {
          port: PORT,
          host: HOST,
          pollIntervalMs: POLL_INTERVAL_MS,
          now: Date.now,
        });
        log.info({ groups: capacity.groups, port: monitor.port, dryRun }, 'the capacity manager runs');
        await Promise.race([capacity.manager.run(), stopped]);
        await monitor.close();
      }
    } finally {
      await capacity.stop();
    }
    await errorReporter?.flush(1_000);
    log.flush();
    this.exit(0);
  }

  /** Prints each group's decision when it differs from the one before. */
  private async printer(dryRun: boolean): Promise<(status: ManagerStatus) => void> {
    const { describeDecision } = await import('../../capacity/manager/dry-run.js');
    const said = new Map<string, string>();
    return ({ groups }) => {
      for (const report of groups) {
        const line = describeDecision(report, dryRun);
        if (said.get(report.group) !== line) this.log(line);
        said.set(report.group, line);
      }
    };
  }
}

interface StartOptions {
  log: Logger;
  dryRun: boolean;
  onTurn: ((status: ManagerStatus) => void) | undefined;
  workersFile: string | undefined;
}

async function startEcs(env: NodeJS.ProcessEnv, { log, dryRun, onTurn }: StartOptions): Promise<Capacity> {
  const [{ parseEcsManager }, { startEcsCapacity }] = await Promise.all([
    import('../../capacity/manager/ecs-groups.js'),
    import('../../cli/capacity/start-ecs.js'),
  ]);
  return startEcsCapacity({ settings: parseEcsManager(env), log, dryRun, onTurn });
}

async function startLocal(env: NodeJS.ProcessEnv, { workersFile, ...options }: StartOptions): Promise<Capacity> {
  const { findLocalCapacity, startLocalCapacity } = await import('../../cli/capacity/start-local.js');
  return startLocalCapacity({ ...(await findLocalCapacity(env, workersFile)), ...options });
}
