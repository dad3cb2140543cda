import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { CommandFailed, run } from '../../../scripts/services/run-command.ts';

/** An object of Kubernetes. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string> };
  spec?: unknown;
  data?: Record<string, string>;
}

/** Parses a stream of YAML documents. Throws an Error for one that is not valid, such as one with a key twice. */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0]!;
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);
}

/** Packages with types for objects that are not part of Kubernetes itself. */
const packages: Record<string, string> = {
  'keda.sh': '@kubernetes-models/keda',
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

function moduleOf(apiVersion: string): string {
  return `${packages[apiVersion.split('/')[0]!] ?? 'kubernetes-models'}/${apiVersion}`;
}

/** What the schemas of Kubernetes do not allow in these objects, unknown fields included: the compiler checks each as a value of its type. */
export async function findSchemaFaults(manifests: Manifest[]): Promise<string> {
  const lines = manifests.map(
    (manifest, i) =>
      `const of${i}: import('${moduleOf(manifest.apiVersion)}').I${manifest.kind} = ${JSON.stringify(manifest, undefined, 1)};\nvoid of${i};`,
  );
  await mkdir('.cache', { recursive: true });
  // Below this folder, so that its packages are found.
  const folder = await mkdtemp(path.resolve('.cache', 'manifests-'));
  const file = path.join(folder, 'manifests.ts');
  try {
    await writeFile(file, `${lines.join('\n')}\nexport {};\n`);
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig'];
    const modules = [
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
      '--target',
      'es2023',
      '--types',
      'node',
    ];
    await run('node_modules/.bin/tsc', [...options, ...modules, file]);
    return '';
  } catch (error) {
    if (error instanceof CommandFailed) return error.message;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
