/**
 * A script to load before the one that is tested: on its disk no file whose path has `part` in it is ever flushed, so
 * that who writes one can be stopped in the middle, however fast it is and however slow the test. The disk goes on when
 * a job is cancelled, by message or signal, or who asked for it is gone, and takes `slowness` milliseconds then.
 */
export const stalledDisk = (part: string, slowness = 0): string => `
  const disk = require('node:fs');
  const { openSync } = disk;
  const stopped = new Promise((resolve) => {
    process.on('message', ({ kind }) => kind === 'cancel' && resolve());
    for (const event of ['disconnect', 'SIGINT', 'SIGTERM', 'SIGHUP']) process.on(event, resolve);
  });
  // What waits for ever does not by itself keep a process alive.
  const alive = setInterval(() => {}, 1000);
  void stopped.then(() => clearInterval(alive));
  const stalled = new Set();
  disk.openSync = (path, ...more) => {
    const file = openSync(path, ...more);
    if (path.includes(${JSON.stringify(part)})) stalled.add(file);
    else stalled.delete(file);
    return file;
  };
  for (const name of ['fsync', 'fdatasync']) {
    const flush = disk[name];
    disk[name] = (file, done) =>
      stalled.has(file)
        ? void stopped.then(() => setTimeout(() => flush(file, done), ${slowness}))
        : flush(file, done);
  }`;

/** The same of a disk on which nothing is ever flushed, whatever happens; it tells the process when that is tried. */
export const hangingDisk = `
  const hanging = require('node:fs');
  hanging.fsync = hanging.fdatasync = () => {
    console.log('the disk hangs in ' + process.pid);
    // What waits for ever does not by itself keep a process alive.
    setInterval(() => {}, 1000);
  };`;
