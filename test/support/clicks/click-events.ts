import { type IncomingMessage, request } from 'node:http';
import { waitUntil } from '../wait-until.ts';

/** Opens a stream of click events and reads it until it is closed; pausing `response` stops reading. */
export async function openClickEvents(url: string, headers: Record<string, string>) {
  const sent = request(url, { headers, agent: false });
  let text = '';
  let isOver = false;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end();
  });
  response.on('data', (chunk: Buffer) => (text += String(chunk)));
  response.on('error', () => (isOver = true));
  response.on('close', () => (isOver = true));
  const events = () =>
    [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Record<string, unknown>);
  await waitUntil('the stream begins', () => text.includes('id: '));
  return {
    response,
    events,
    countEvents: () => text.split('\ndata: ').length - 1,
    countries: () => events().map(({ country }) => country),
    lastId: () => [...text.matchAll(/^id: (\d+)$/gm)].at(-1)![1]!,
    isOver: () => isOver,
    close: () => void sent.destroy(),
  };
}
