/**
 * Where the memory of columns comes from: this thread's own, or such as other threads can read.
 */

/** Gives so many bytes, all 0. */
export type MemoryMaker = (bytes: number) => ArrayBufferLike;

export const ownMemory: MemoryMaker = (bytes) => new ArrayBuffer(bytes);
export const sharedMemory: MemoryMaker = (bytes) => new SharedArrayBuffer(bytes);
