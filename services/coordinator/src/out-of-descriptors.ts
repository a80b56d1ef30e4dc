/** Whether the system refused something because this process, or the machine, has no file descriptors left. */
export const isOutOfDescriptors = (caught: unknown): boolean =>
  caught instanceof Error && 'code' in caught && (caught.code === 'EMFILE' || caught.code === 'ENFILE');
