import type { Pause } from './retries.ts';
import type { Progress } from './upload.ts';

/** Reactions to the course of a call. */
export interface CallEvents {
  onProgress(progress: Progress): void;
  /** The service has asked to wait. */
  onPause(pause: Pause): void;
}
