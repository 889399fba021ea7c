import fc from 'fast-check';

/** Properties are tried on the same examples in each run; CAFFE_PRUNER_SEED names others to look for what those miss. */
fc.configureGlobal({ seed: Number(process.env.CAFFE_PRUNER_SEED ?? 1) });
