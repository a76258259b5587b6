/** The parts of which a file has many, and what they take beside its pixels. */
export interface SourceStructure {
  /** `scans`, `frames`, … */
  readonly parts: string;
  readonly count: number;
  /** Time to read the header with all these parts. Unset: next to none. Infinity: they weren't counted to the end. */
  readonly headerTime?: number;
  /** Time of the decoder, which reads the header once more. */
  readonly fixedTime: number;
  /** Time of the decoder for each pixel. Unset: none. */
  readonly timePerPixel?: number;
  /** The parts are metadata, which real files have in any amount: they count in the price and are not refused. */
  readonly isMetadata?: boolean;
}
