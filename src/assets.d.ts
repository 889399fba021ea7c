/** Files that the bundler puts into the code: kernels as bytes, schemas and scripts as text. */
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
declare module '*.caffemodel' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
declare module '*.proto' {
  const text: string;
  export default text;
}
declare module '*.prototxt' {
  const text: string;
  export default text;
}
declare module '*.css';
