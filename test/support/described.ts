import { CaffeError } from '../../src/caffe/errors';

/** The whole message of the error that a promise is rejected with. */
export const described = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'no error',
    (error: unknown) => (error instanceof CaffeError ? error.describe() : String(error)),
  );
