import path from 'node:path';
import type { ListrTask } from 'listr2';
import type { Api } from '../../client/api.js';
import { downloadFiles } from '../jobs/download.js';
import { describeEvent, followJob } from '../jobs/follow.js';
import { bytes } from '../output/format.js';

interface Sample {
  type: string;
  title: string;
  input: object;
}

const samples: Sample[] = [
  { type: 'TEST', title: 'a TEST job', input: { id: 1 } },
  {
    type: 'SUITABILITY_ASSESSMENT',
    title: 'a site suitability assessment of the Cairns-Cooktown reefs',
    input: { region: 'Cairns-Cooktown', reef_type: 'slopes', x_dist: 200, y_dist: 200 },
  },
  { type: 'DATA_SPECIFICATION_UPDATE', title: 'a data specification update', input: {} },
];

const command = 'echo "counting the reefs"; for n in 1 2 3; do echo "reef $n"; done';

/** Runs the sample jobs to their downloaded results, and a command to its end, each as a task with its progress. */
export function demoTasks(api: Api, folder: string, onFile: (path: string) => void): ListrTask[] {
  return [...jobTasks(api, folder, onFile), commandTask(api)];
}

function commandTask(api: Api): ListrTask {
  return {
    title: 'Run a command',
    task: async (_context, task) => {
      const [{ followLogs, untilEnded }, { describeEnd }] = await Promise.all([
        import('../../client/live-logs.js'),
        import('../executions/run-command.js'),
      ]);
      const { execution_id: id, websocket_url: websocketUrl } = await api.run({ command });
      let lines = 0;
      for await (const { message } of followLogs(api, id, { websocketUrl })) {
        task.output = message;
        lines += 1;
      }
      const state = await untilEnded(api, id);
      if (state.status !== 'SUCCEEDED') throw new Error(describeEnd(state));
      task.title = `Ran a command: ${lines} lines came live; exit code ${state.exit_code}`;
    },
  };
}

function jobTasks(api: Api, folder: string, onFile: (path: string) => void): ListrTask[] {
  return samples.map(({ type, title, input }) => ({
    title: `Run ${title}`,
    task: async (_context, task) => {
      // A number of its own, so that the demo runs its jobs anew each time instead of being served from the cache.
      const payload =
        type === 'TEST'
          ? { id: Date.now() }
          : type === 'DATA_SPECIFICATION_UPDATE'
            ? { cache_buster: Date.now() }
            : input;
      const { jobId, cached } = await api.submit(type, payload);
      const end = await followJob(api, jobId, (event) => {
        task.output = describeEvent(event);
      });
      if (end.status !== 'SUCCEEDED') throw new Error(describeEvent(end));
      const { files } = await api.downloads(jobId);
      const done = await downloadFiles(files, path.join(folder, `${jobId}-${type.toLowerCase()}`), (file) =>
        onFile(file.path),
      );
      const size = done.reduce((sum, file) => sum + file.bytes, 0);
      const what = done.length === 0 ? 'it leaves no files' : `${done.length} files, ${bytes(size)}`;
      task.title = `Ran ${title}: job ${jobId} succeeded${cached ? ' earlier and was served from the cache' : ''}; ${what}`;
    },
  }));
}
