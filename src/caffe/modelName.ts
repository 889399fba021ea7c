const extension = /\.caffemodel(\.h5)?$/i;

/** Whether a file is a model by its name or path, in either format. */
export const isModelName = (name: string): boolean => extension.test(name);

/** The name or path of a model without its extension: `lenet` of `lenet.caffemodel` and of `lenet.caffemodel.h5`. */
export const withoutExtension = (name: string): string => name.replace(extension, '');
