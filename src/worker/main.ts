import type { WorkerJobs } from '../protocol';
import { JobServer, type Request } from '../rpc';
import { workerJobs } from './jobs';

/** The background process: does the jobs that the extension sends over the channel it was forked with. */
const server = new JobServer<WorkerJobs>(workerJobs(), (response) => {
  // An error is that of a parent that is gone, of which 'disconnect' tells; without this it would end the process.
  process.send?.(response, undefined, undefined, () => undefined);
});

process.on('message', (request: Request<WorkerJobs>) => server.receive(request));
// The channel closes when the parent is gone, however it went: nobody waits for the results any more.
process.on('disconnect', () => {
  // As long as jobs take to remove their temporary files: a disk may be slow.
  void server.dispose().then(() => process.exit(0));
  // A job that never hears of it is not waited for: what it has begun goes with the process.
  setTimeout(() => process.exit(0), 60_000).unref();
});
