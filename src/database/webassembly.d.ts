// Declares the part of the WebAssembly global in use, because @types/node leaves WebAssembly to lib.dom.
declare namespace WebAssembly {
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  function instantiate(bytes: Uint8Array, imports: Record<string, object>): Promise<{ instance: Instance }>;
}
