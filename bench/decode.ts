// Prints how many ms protobufjs takes to read and decode a whole .caffemodel into objects.
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

const { root } = protobuf.parse(`
  syntax = "proto2";
  message BlobShape { repeated int64 dim = 1 [packed = true]; }
  message BlobProto { optional BlobShape shape = 7; repeated float data = 5 [packed = true]; }
  message LayerParameter {
    optional string name = 1;
    optional string type = 2;
    repeated string bottom = 3;
    repeated string top = 4;
    repeated BlobProto blobs = 7;
  }
  message NetParameter { optional string name = 1; repeated LayerParameter layer = 100; }
`);
const start = performance.now();
root.lookupType('NetParameter').decode(readFileSync(process.argv[2]));
console.log(performance.now() - start);
