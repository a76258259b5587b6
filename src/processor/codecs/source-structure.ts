/** The parts that a file has many of, and the time that they take besides its pixels. */
export interface SourceStructure {
  /** `scans`, `frames`, … */
  readonly parts: string;
  readonly count: number;
  /** Limit of `count`, whatever their time. Unset: none. */
  readonly mostParts?: number;
  /** Time to read the header with all these parts. Unset: almost none. Infinity: not all parts were counted. */
  readonly headerTime?: number;
  /** Time of the decoder, which reads the header a second time. */
  readonly fixedTime: number;
  /** Time of the decoder per pixel. Unset: none. */
  readonly timePerPixel?: number;
  /** Whether the parts are metadata. Real files have any amount of it, so it is only priced, never refused. */
  readonly isMetadata?: boolean;
}
