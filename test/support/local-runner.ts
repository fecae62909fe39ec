import { randomBytes } from 'node:crypto';
import type { CommandEnd, CommandRequest, CommandRunner } from '../../src/executions/runners/runner.js';

export const request = (command: string, more: Partial<CommandRequest> = {}): CommandRequest => ({
  executionId: randomBytes(16).toString('hex'),
  command,
  image: {
    image: 'ubuntu:24.04',
    cpu: 256,
    memory: 512,
    runtimePlatform: 'Linux/X86_64',
    taskRoleName: undefined,
    taskExecutionRoleName: undefined,
  },
  taskDefinition: undefined,
  env: {},
  timeoutSeconds: 60,
  git: undefined,
  ...more,
});

export interface Watched {
  id: string;
  taskArn: string;
  running: Promise<void>;
  /** What it has printed so far. */
  text(): string;
  ended: Promise<CommandEnd & { text: string; lines: string[] }>;
}

/** Starts a command and reads all that it prints. */
export async function watch(runner: CommandRunner, given: CommandRequest): Promise<Watched> {
  const { taskArn, attached } = await runner.start(given);
  if (!attached) throw new Error('its output does not come from this process');
  let text = '';
  const read = (async () => {
    for await (const chunk of attached.output) text += Buffer.from(chunk).toString();
  })();
  const ended = (async () => {
    const { exitCode } = await attached.ended;
    await read;
    await attached.release();
    return { exitCode, text, lines: text.split('\n').slice(0, -1) };
  })();
  return { id: given.executionId, taskArn, running: attached.running, text: () => text, ended };
}
