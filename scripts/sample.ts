// `npm run sample -- [FOLDER]`: makes the sample project, in sample/ of the repository unless a folder is given.
import { createSample } from '../src/jobs/sample';
import { textOf } from '../src/phrase';

const folder = process.argv[2] ?? 'sample';
const job = createSample({ folder, replace: true }, { signal: new AbortController().signal });
for await (const { message } of job) console.log(`${folder}/${textOf(message)}`);
