// Which version of their language two processes speak.

/** Goes up with every change of messages.ts. `hello` and `foreign`, by which two versions know each other, never change. */
export const IPC_PROTOCOL = 4;
