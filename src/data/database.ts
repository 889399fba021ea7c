import { decodeDatum } from './datum';
import { decodeImage, type ColorMode } from './image';
import type { ItemSource } from './items';
import type { RecordDatabase } from './records';

/**
 * The Datums of a database.
 *
 * @param mode how encoded images are decoded; `native` unless the layer forces colour or gray
 */
export function databaseItems(database: RecordDatabase, name: string, mode: ColorMode): ItemSource {
  return {
    name,
    count: database.count,
    async *items(first = 0) {
      let index = first;
      for await (const record of database.values(first)) {
        const recordName = `${name}, record ${index}`;
        const datum = decodeDatum(record, recordName);
        const { channels, height, width, data, floatData, label } = datum;
        const pixels = datum.encoded
          ? decodeImage(data, mode, recordName)
          : { channels, height, width, data: data.length > 0 ? data : floatData };
        yield { index, name: recordName, pixels, label };
        index++;
      }
    },
    close: () => database.close(),
  };
}
