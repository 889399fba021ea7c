// Puts tfjs-node into a folder where the library that its install script downloads is out of reach: the binding is
// compiled against the library and the headers in TensorFlow's Python wheel. Linux; wants g++, python3 with pip, and the
// headers of Node.js beside it.
//   node scripts/tensorflow.mjs FOLDER
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const folder = resolve(process.argv[2]);
const wheels = join(folder, 'wheel');
mkdirSync(folder, { recursive: true });
const run = (/** @type {string} */ command, /** @type {string[]} */ ...args) =>
  execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });

run('npm', 'install', '--prefix', folder, '--ignore-scripts', '--no-audit', '@tensorflow/tfjs-node@4.22.0');
run('python3', '-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', wheels, 'tensorflow-cpu');
const wheel = join(wheels, readdirSync(wheels)[0]);
run('python3', '-m', 'zipfile', '-e', wheel, wheels);

const tfjs = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
const library = join(tfjs, 'deps', 'lib');
const binding = join(tfjs, 'lib', 'napi-v8');
for (const made of [library, binding]) mkdirSync(made, { recursive: true });
// Under the names by which they ask for each other.
const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
for (const name of libraries) copyFileSync(join(wheels, 'tensorflow', name), join(library, name));

const nodeHeaders = join(dirname(dirname(process.execPath)), 'include', 'node');
if (!existsSync(nodeHeaders))
  throw new Error(`${nodeHeaders} is not there: the headers of this Node.js are needed`);
run(
  'g++',
  ...['-shared', '-fPIC', '-O2', '-std=c++17', '-DNAPI_VERSION=8'],
  ...[nodeHeaders, join(wheels, 'tensorflow', 'include'), join(tfjs, '..')].flatMap((path) => ['-I', path]),
  ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(tfjs, 'binding', name)),
  ...libraries.map((name) => join(library, name)),
  '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ...['-o', join(binding, 'tfjs_binding.node')],
);
console.log(`CAFFE_PRUNER_TENSORFLOW=${folder} npx vitest run --project unit tensorflow golden`);
