// Serves a workbench with the built checkout on a folder until it is interrupted: `scripts/serve.ts FOLDER [PORT]`.
// `npm start` uses it where there is no VS Code.
import { installWorkbench } from '../test/e2e/workbench/install';
import { extensionsFolder, startServer } from '../test/e2e/workbench/server';

installWorkbench();
const [folder, port = '0'] = process.argv.slice(2);
const server = await startServer({
  folder,
  port: Number(port),
  extensions: extensionsFolder(),
  settings: { 'security.workspace.trust.enabled': false },
});
console.log(`Caffe Pruner runs at ${server.url} (Ctrl+C ends it)`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void server.stop().then(() => process.exit(0)));
