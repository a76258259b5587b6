/** A flag of V8: the garbage collector counts the images' memory in its budget, which halves the cost of collection. */
export const collectorFlag = '--external-memory-accounted-in-global-limit';
