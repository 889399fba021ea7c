import { expect, test } from 'vitest';
import { reasonOfFailure } from '../../../src/commands/npmFailure';

test.each([
  [
    'the install script found no way to the library',
    [
      'npm error code 1',
      'npm error path /home/me/tensorflow/node_modules/@tensorflow/tfjs-node',
      'npm error command sh -c node scripts/install.js',
      'npm error https://storage.googleapis.com/tensorflow/libtensorflow/libtensorflow-cpu.tar.gz',
      'npm error * Downloading libtensorflow',
      'npm error Error: getaddrinfo ENOTFOUND storage.googleapis.com',
      'npm error     at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26)',
      "npm error   code: 'ENOTFOUND',",
      'npm error A complete log of this run can be found in: /home/me/.npm/_logs/debug-0.log',
    ],
    { unreachable: 'storage.googleapis.com' },
  ],
  [
    'there is no way to the registry',
    [
      'npm error code ENOTFOUND',
      'npm error syscall getaddrinfo',
      'npm error network request to https://registry.npmjs.org/@tensorflow%2ftfjs-node failed, reason: getaddrinfo ENOTFOUND registry.npmjs.org',
    ],
    { unreachable: 'registry.npmjs.org' },
  ],
  [
    'an older npm meets a proxy that refuses',
    ['npm ERR! code ECONNREFUSED', 'npm ERR! FetchError: request to https://registry.npmjs.org/x failed'],
    { unreachable: 'registry.npmjs.org' },
  ],
  [
    'the binding is not made for the platform',
    [
      'npm error code 1',
      'npm error path /x/node_modules/@tensorflow/tfjs-node',
      'npm error node-pre-gyp ERR! stack Error: Could not find any Visual Studio installation to use',
      'npm error A complete log of this run can be found in: /x',
    ],
    { reason: 'node-pre-gyp ERR! stack Error: Could not find any Visual Studio installation to use' },
  ],
  [
    'the disk is full',
    ['npm error code ENOSPC', 'npm error nospc ENOSPC: no space left on device, write'],
    {
      reason: 'nospc ENOSPC: no space left on device, write',
    },
  ],
  ['nothing is said', [], { reason: undefined }],
])('%s', (_name, lines, expected) => {
  expect(reasonOfFailure(lines)).toMatchObject(expected);
});
