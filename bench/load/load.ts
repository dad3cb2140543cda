/** A request; without a method it is a GET. */
export interface LoadRequest {
  method?: 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Connections that share these requests out among themselves; each sends its next one when it has its answer, and when all are
 *  sent they begin again. */
export interface Load {
  baseUrl: string;
  requests: LoadRequest[];
  connections: number;
  seconds: number;
}

export interface LoadResult {
  /** Answers of any status. */
  answered: number;
  /** Those of them with a status of 400 or more. */
  refused: number;
  /** Requests that no answer came to; those that were on their way when the time was over are not among them. */
  failed: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

export interface LoadGenerator {
  /** With its version. */
  name: string;
  run(load: Load): Promise<LoadResult>;
}
