import path from 'node:path';
import type { ListrTask, ListrTaskWrapper } from 'listr2';
import type { Api } from '../../client/api.js';
import { followLogs, waitUntilEnded } from '../../client/live-logs.js';
import { describeExecution } from '../executions/outcome.js';
import { downloadFiles } from '../jobs/download.js';
import { describeEvent, followJob } from '../jobs/follow.js';
import { formatBytes } from '../output/format.js';

interface Sample {
  type: string;
  title: string;
  /** Creates the input. A unique number makes the job run again instead of coming from the cache. */
  createInput(): object;
}

const samples: Sample[] = [
  { type: 'TEST', title: 'a TEST job', createInput: () => ({ id: Date.now() }) },
  {
    type: 'SUITABILITY_ASSESSMENT',
    title: 'a site suitability assessment of the Cairns-Cooktown reefs',
    createInput: () => ({ region: 'Cairns-Cooktown', reef_type: 'slopes', x_dist: 200, y_dist: 200 }),
  },
  {
    type: 'DATA_SPECIFICATION_UPDATE',
    title: 'a data specification update',
    createInput: () => ({ cache_buster: Date.now() }),
  },
];

const command = 'echo "counting the reefs"; for n in 1 2 3; do echo "reef $n"; done';

/** Creates a task for each sample job, up to the downloaded results, and for a command. */
export function createDemoTasks(api: Api, directory: string, onFile: (path: string) => void): ListrTask[] {
  return [
    ...samples.map((sample) => ({
      title: `Run ${sample.title}`,
      task: (_context: unknown, task: Progress) => runSample(api, sample, directory, onFile, task),
    })),
    { title: 'Run a command', task: (_context, task) => runCommand(api, task) },
  ];
}

// biome-ignore lint/suspicious/noExplicitAny: listr2 leaves the renderers of a task open
type Progress = Pick<ListrTaskWrapper<any, any, any>, 'title' | 'output'>;

async function runSample(
  api: Api,
  { type, title, createInput }: Sample,
  directory: string,
  onFile: (path: string) => void,
  task: Progress,
): Promise<void> {
  const { jobId, cached } = await api.submit(type, createInput());
  const end = await followJob(api, jobId, (event) => {
    task.output = describeEvent(event);
  });
  if (end.status !== 'SUCCEEDED') throw new Error(describeEvent(end));
  const { files } = await api.downloads(jobId);
  const target = path.join(directory, `${jobId}-${type.toLowerCase()}`);
  const downloaded = await downloadFiles(files, target, (file) => onFile(file.path));
  const size = formatBytes(downloaded.reduce((sum, file) => sum + file.bytes, 0));
  const summary = downloaded.length === 0 ? 'no files' : `${downloaded.length} files, ${size}`;
  task.title = `Ran ${title}: job ${jobId} succeeded${cached ? ' earlier and came from the cache' : ''}; ${summary}`;
}

async function runCommand(api: Api, task: Progress): Promise<void> {
  const { execution_id: id, websocket_url: websocketUrl } = await api.run({ command });
  let lines = 0;
  for await (const { message } of followLogs(api, id, { websocketUrl })) {
    task.output = message;
    lines += 1;
  }
  const state = await waitUntilEnded(api, id);
  if (state.status !== 'SUCCEEDED') throw new Error(describeExecution(state));
  task.title = `Ran a command: ${lines} lines came live; exit code ${state.exit_code}`;
}
