/** Largest message that a service takes unless it says otherwise: room for a manifest of 100,000 files, not for a model. */
export const DEFAULT_MAX_MESSAGE_BYTES = 16 << 20;
