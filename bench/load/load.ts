/** A request; GET unless it has a method. */
export interface LoadRequest {
  method?: 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Connections that share these requests. Each sends its next request after an answer, and starts again after the last
 *  one. */
export interface Load {
  baseUrl: string;
  requests: LoadRequest[];
  connections: number;
  seconds: number;
}

export interface LoadResult {
  /** Answers with any status. */
  answered: number;
  /** Answers with a status of 400 or more. */
  refused: number;
  /** Requests without an answer, except those in transit at the end. */
  failed: number;
  seconds: number;
  p50Ms: number;
  p99Ms: number;
}

export interface LoadGenerator {
  /** Name and version of the generator. */
  name: string;
  run(load: Load): Promise<LoadResult>;
}
