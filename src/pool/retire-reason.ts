// Why a worker gets no more requests. The same words as in ipc/messages.ts, repeated because pools know no messages.

export type RetireReason =
  | 'idle' // unused for idle_timeout
  | 'max-requests' // served as many as it may
  | 'memory' // grew too large
  | 'reload' // replaced by a newer worker
  | 'shutdown' // usherd stops, or the user is suspended
  | 'deadline' // its request took too long
  | 'protocol' // its answer was not valid
  | 'surplus'; // its slot is needed elsewhere
