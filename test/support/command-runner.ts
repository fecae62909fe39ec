import { randomUUID } from 'node:crypto';
import type { LoggedLine } from '../../src/events/decode.js';
import type { CommandRequest, CommandRunner } from '../../src/executions/runners/runner.js';

export interface FakeCommandRunner extends CommandRunner {
  started: CommandRequest[];
  stopped: string[];
  /** Tasks that exist. A test removes a task that has gone. */
  tasks: Set<string>;
  definitions: Set<string>;
  /** Log events by task. */
  logs: Map<string, LoggedLine[]>;
}

/** Fake of ECS whose tasks do nothing. Tests send output and ends as events. */
export function createFakeCommandRunner(): FakeCommandRunner {
  const started: CommandRequest[] = [];
  const stopped: string[] = [];
  const tasks = new Set<string>();
  const definitions = new Set<string>();
  const logs = new Map<string, LoggedLine[]>();
  return {
    started,
    stopped,
    tasks,
    definitions,
    logs,
    platform: 'ecs',
    async start(request) {
      const taskArn = `arn:aws:ecs:ap-southeast-2:123456789012:task/reefguide/${randomUUID().replaceAll('-', '')}`;
      started.push(request);
      tasks.add(taskArn);
      return { taskArn, attached: undefined };
    },
    async stop(taskArn) {
      stopped.push(taskArn);
    },
    owns: () => true,
    filterExisting: async (arns) => new Set(arns.filter((arn) => tasks.has(arn))),
    async define({ image }) {
      const arn = `arn:aws:ecs:ap-southeast-2:123456789012:task-definition/${image.replaceAll(/\W/g, '-')}:1`;
      definitions.add(arn);
      return arn;
    },
    filterDefined: async (arns) => new Set(arns.filter((arn) => definitions.has(arn))),
    async undefine(arn) {
      definitions.delete(arn);
    },
    async *readLogs(taskArn) {
      yield logs.get(taskArn) ?? [];
    },
    async close() {},
  };
}
