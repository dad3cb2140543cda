import { csvFiles } from './csv.ts';
import type { ServiceFile } from './expected.ts';
import { jsonFiles } from './json.ts';
import { sqlFiles } from './sql.ts';

/** A file of each service in each form that it writes. */
export const serviceFiles: ServiceFile[] = [...csvFiles, ...jsonFiles, ...sqlFiles];
