import { type PanelText, rows } from './panels.ts';

const source = { type: 'prometheus', uid: '${datasource}' };
/** Of a panel, in units of Grafana's grid, which is three panels wide. */
const size = { width: 8, height: 8 };
const perRow = 3;

/** The board as Grafana imports it, as JSON. */
export function grafanaBoard(): string {
  let y = 0;
  let id = 0;
  const panels: object[] = [];
  for (const [title, texts] of Object.entries(rows)) {
    panels.push({
      type: 'row',
      title,
      id: (id += 1),
      collapsed: false,
      gridPos: { x: 0, y, w: perRow * size.width, h: 1 },
      panels: [],
    });
    for (const [i, text] of texts.entries()) {
      const at = { x: (i % perRow) * size.width, y: y + 1 + Math.floor(i / perRow) * size.height };
      panels.push(panelOf(text, (id += 1), at));
    }
    y += 1 + Math.ceil(texts.length / perRow) * size.height;
  }
  const board = {
    title: 'Linkmill',
    uid: 'linkmill',
    description: 'Redirects, clicks, jobs, stores and processes of Linkmill.',
    tags: ['linkmill'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    timezone: 'browser',
    templating: {
      list: [
        {
          name: 'datasource',
          label: 'Prometheus',
          type: 'datasource',
          query: 'prometheus',
          current: {},
          hide: 0,
        },
      ],
    },
    annotations: { list: [] },
    links: [],
    panels,
  };
  return `${JSON.stringify(board, undefined, 2)}\n`;
}

function panelOf(text: PanelText, id: number, at: { x: number; y: number }) {
  const { title, description, unit, queries, kind = 'timeseries' } = text;
  return {
    type: kind,
    title,
    description,
    id,
    datasource: source,
    gridPos: { ...at, w: size.width, h: size.height },
    targets: Object.entries(queries).map(([legend, expr], i) => ({
      refId: String.fromCodePoint(65 + i),
      datasource: source,
      expr,
      legendFormat: legend,
      editorMode: 'code',
      range: kind === 'timeseries',
      instant: kind === 'stat',
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: kind === 'stat' ? 'thresholds' : 'palette-classic' },
        thresholds: { mode: 'absolute', steps: stepsOf(text) },
        ...(kind === 'timeseries' && {
          custom: { lineWidth: 1, fillOpacity: 10, showPoints: 'never', ...marked(text) },
        }),
      },
      overrides: [],
    },
    options:
      kind === 'stat'
        ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background', graphMode: 'none' }
        : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  };
}

/** A dashed line where the value becomes red. */
const marked = ({ redAbove, redBelow }: PanelText) =>
  (redAbove ?? redBelow) !== undefined && { thresholdsStyle: { mode: 'dashed' } };

function stepsOf({ redAbove, redBelow }: PanelText) {
  if (redBelow !== undefined)
    return [
      { color: 'red', value: null },
      { color: 'green', value: redBelow },
    ];
  const green = { color: 'green', value: null };
  return redAbove === undefined ? [green] : [green, { color: 'red', value: redAbove }];
}
