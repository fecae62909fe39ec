import { ClientCommand } from '../../cli/command/client-command.js';
import { formatFacts } from '../../cli/output/format.js';
import { ApiError } from '../../client/api-error.js';

export default class Health extends ClientCommand {
  static override description =
    'Show the version, the provider (local or aws) and the readiness of the API; exit with 1 when the API is not ready.';
  static override examples = ['reefguide health', 'reefguide health --json'];

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Health);
    const api = await this.connect(flags);
    const health = await api.health();
    const { ready, reason } = await api.ready().then(
      () => ({ ready: true, reason: undefined }),
      (error: unknown) => {
        if (error instanceof ApiError && error.status === 503) return { ready: false, reason: error.message };
        throw error;
      },
    );
    this.log(
      formatFacts([
        ['API', api.baseUrl],
        ['Status', health.status],
        ['Version', health.version],
        ['Provider', health.provider],
        ['Region', health.region],
        ['Ready', ready ? 'yes' : `no: ${reason}`],
      ]),
    );
    if (!ready) process.exitCode = 1;
    return { ...health, ready, ...(reason === undefined ? {} : { reason }) };
  }
}
