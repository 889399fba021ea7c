/** A read-only database of key-value records, as Caffe's Data layer reads it: in the order of the keys. */
export interface RecordDatabase {
  /** How many records there are, where the format keeps the number; LevelDB does not. */
  readonly count?: number;

  /**
   * The values in the order of their keys. The first `skip` records are passed over and their values not read.
   * A value stays valid for as long as it is held.
   */
  values(skip?: number): AsyncGenerator<Uint8Array, void>;

  close(): Promise<void>;
}
