import { Flags } from '@oclif/core';
import type { ManagerStatus } from '../../capacity/manager/manager.js';
import type { CapacityOptions, RunningCapacity } from '../../cli/capacity/running-capacity.js';
import { BaseCommand } from '../../cli/command/base-command.js';
import { waitForStopSignal } from '../../cli/command/signals.js';
import { managerEnvironment } from '../../environment/capacity-manager.js';
import { loadEnvFile } from '../../environment/env-file.js';
import { parseEnvironment } from '../../environment/variables.js';

export default class CapacityRun extends BaseCommand {
  static override description = `Run the capacity manager, which launches workers while jobs wait.

With --provider ecs, reads its settings from the environment and from an .env file in the working directory, which
\`capacity build-env\` writes (see docs/capacity-manager.md). With --provider local, runs workers as processes of this machine
from a workers file, for the running local system or for API_ENDPOINT.`;
  static override examples = [
    'reefguide capacity run',
    'reefguide capacity run --dry-run',
    'reefguide capacity run --provider local --dry-run --once',
  ];
  static override flags = {
    provider: Flags.string({ description: 'Where workers run', options: ['ecs', 'local'], default: 'ecs' }),
    'dry-run': Flags.boolean({ description: 'Print decisions without launching workers or taking the lease' }),
    once: Flags.boolean({ description: 'Decide once and exit' }),
    workers: Flags.string({ description: 'Workers file of the local provider', env: 'REEFGUIDE_WORKERS' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(CapacityRun);
    const { createErrorReporter } = await import('../../platform/error-reports.js');
    const { createLog } = await import('../../platform/log.js');
    await loadEnvFile('.env', process.env);
    const environment = parseEnvironment(managerEnvironment, process.env);
    const errorReporter = await createErrorReporter(environment.SENTRY_DSN, 'capacity');
    const log = createLog(environment.LOG_LEVEL, { errorReporter });
    const dryRun = flags['dry-run'];
    const stopped = waitForStopSignal();
    const onTurn = dryRun || flags.once ? await this.createPrinter(dryRun) : undefined;
    const capacity = await startCapacity(flags.provider, flags.workers, { log, dryRun, onTurn });
    try {
      if (flags.once) await Promise.race([capacity.manager.once(), stopped]);
      else {
        const { startMonitor } = await import('../../cli/capacity/monitor.js');
        const monitor = await startMonitor(capacity.manager, {
          port: environment.PORT,
          host: environment.HOST,
          pollIntervalMs: environment.POLL_INTERVAL_MS,
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

  /** Prints each group's decision when the decision changes. */
  private async createPrinter(dryRun: boolean): Promise<(status: ManagerStatus) => void> {
    const { describeDecision } = await import('../../capacity/manager/dry-run.js');
    const printed = new Map<string, string>();
    return ({ groups }) => {
      for (const report of groups) {
        const line = describeDecision(report, dryRun);
        if (printed.get(report.group) !== line) this.log(line);
        printed.set(report.group, line);
      }
    };
  }
}

async function startCapacity(
  provider: string,
  workersFile: string | undefined,
  options: CapacityOptions,
): Promise<RunningCapacity> {
  if (provider === 'ecs') {
    const { parseEcsManager } = await import('../../capacity/manager/ecs-groups.js');
    const { startEcsCapacity } = await import('../../cli/capacity/start-ecs.js');
    return startEcsCapacity(parseEcsManager(process.env), options);
  }
  const { findLocalCapacity } = await import('../../cli/capacity/find-local.js');
  const { startLocalCapacity } = await import('../../cli/capacity/start-local.js');
  return startLocalCapacity(await findLocalCapacity(process.env, workersFile), options);
}
