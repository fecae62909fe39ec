import { randomUUID } from 'node:crypto';
import type { CommandRequest, CommandRunner, ProviderLogEvent } from '../../src/executions/runners/runner.js';

export interface RecordedRunner extends CommandRunner {
  started: CommandRequest[];
  stopped: string[];
  /** What exists: taken out by a test to say that a task has gone. */
  tasks: Set<string>;
  definitions: Set<string>;
  /** What the provider keeps of each task's log. */
  kept: Map<string, ProviderLogEvent[]>;
}

/** A provider whose tasks do nothing: their output and their ends come as events. */
export function recordedRunner(): RecordedRunner {
  const started: CommandRequest[] = [];
  const stopped: string[] = [];
  const tasks = new Set<string>();
  const definitions = new Set<string>();
  const kept = new Map<string, ProviderLogEvent[]>();
  return {
    started,
    stopped,
    tasks,
    definitions,
    kept,
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
    existing: async (arns) => new Set(arns.filter((arn) => tasks.has(arn))),
    async define({ image }) {
      const arn = `arn:aws:ecs:ap-southeast-2:123456789012:task-definition/${image.replaceAll(/\W/g, '-')}:1`;
      definitions.add(arn);
      return arn;
    },
    defined: async (arns) => new Set(arns.filter((arn) => definitions.has(arn))),
    async undefine(arn) {
      definitions.delete(arn);
    },
    async *logs(taskArn) {
      yield kept.get(taskArn) ?? [];
    },
    async close() {},
  };
}
