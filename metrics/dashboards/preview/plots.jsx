// The state timeline and the heatmap. Grafana publishes neither of these two panels, only what they are made of: its
// chart with axes and scales. The marks on it are drawn here.
import { colorManipulator, getFieldDisplayName } from '@grafana/data';
import { AxisPlacement, ScaleDirection, ScaleOrientation, UPlotChart, UPlotConfigBuilder, VizLegend } from '@grafana/ui';
import React from 'react';

import { theme } from './data';

const LEGEND_PX = 26;

// A chart over time with our own marks; `rows` are the words at the left, from the bottom up.
function chart(range, timeZone, rows, paint) {
  const config = new UPlotConfigBuilder(timeZone);
  config.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: ScaleOrientation.Horizontal,
    direction: ScaleDirection.Right,
    range: () => [range.from.valueOf(), range.to.valueOf()],
  });
  config.addScale({
    scaleKey: 'y',
    orientation: ScaleOrientation.Vertical,
    direction: ScaleDirection.Up,
    range: () => [0, rows.length],
  });
  config.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone, theme });
  config.addAxis({
    scaleKey: 'y',
    placement: AxisPlacement.Left,
    theme,
    grid: { show: false },
    ticks: { show: false },
    splits: () => rows.map(({ at }) => at),
    values: () => rows.map(({ text }) => text),
  });
  config.addSeries({ scaleKey: 'y', theme, show: true, pathBuilder: () => null, pointsBuilder: () => null });
  config.addHook('draw', (plot) => {
    const box = (from, to, bottom, top) => {
      const left = Math.max(plot.valToPos(from, 'x', true), plot.bbox.left);
      const right = Math.min(plot.valToPos(to, 'x', true), plot.bbox.left + plot.bbox.width);
      const y = plot.valToPos(top, 'y', true);
      return [left, y, Math.max(right - left - 1, 1), plot.valToPos(bottom, 'y', true) - y - 1];
    };
    paint(plot.ctx, box);
  });
  return config;
}

export function StateTimeline({ frames, range, timeZone, width, height }) {
  const bands = frames.map((frame) => frame.fields[1]);
  const rows = bands.map((field, place) => ({
    at: bands.length - place - 0.5,
    text: getFieldDisplayName(field, frames[place], frames),
  }));
  const states = new Map();
  const config = chart(range, timeZone, rows, (context, box) => {
    frames.forEach(({ fields: [times, values] }, place) => {
      const bottom = bands.length - place - 0.9;
      times.values.forEach((at, point) => {
        const { color } = values.display(values.values[point]);
        const until = times.values[point + 1] ?? at + (at - (times.values[point - 1] ?? at));
        context.fillStyle = colorManipulator.alpha(color, 0.85);
        const [x, y, w, h] = box(at, until, bottom, bottom + 0.8);
        context.fillRect(x, y, w + 2, h);
      });
    });
  });
  for (const field of bands) {
    for (const value of field.values) {
      const { text, color } = field.display(value);
      states.set(text, color);
    }
  }
  const items = [...states].map(([label, color]) => ({ label, color, yAxis: 1 }));
  return (
    <>
      <UPlotChart config={config} data={[[], []]} width={width} height={height - LEGEND_PX} />
      <VizLegend items={items} displayMode="list" placement="bottom" />
    </>
  );
}

const HEAT = ['#3a2a12', '#7a4a12', '#c46a14', '#f28f1c', '#fbc04a', '#fff0b0'];

// Prometheus's buckets hold all observations up to a limit; a cell is what lies between two limits.
export function Heatmap({ frames, range, timeZone, width, height }) {
  const limit = (frame) => Number(frame.fields[1].labels.le.replace('+Inf', 'Infinity'));
  const ordered = [...frames].sort((a, b) => limit(a) - limit(b));
  const cells = ordered.flatMap((frame, row) => {
    const [times, values] = frame.fields;
    const below = row ? new Map(ordered[row - 1].fields[0].values.map((at, i) => [at, ordered[row - 1].fields[1].values[i]])) : new Map();
    return times.values.map((at, i) => ({ at, row, count: (values.values[i] ?? 0) - (below.get(at) ?? 0) }));
  });
  const times = [...new Set(cells.map(({ at }) => at))].sort((a, b) => a - b);
  const step = Math.min(...times.slice(1).map((at, i) => at - times[i]));
  const most = Math.max(...cells.map(({ count }) => count));
  const last = Math.max(...cells.filter(({ count }) => count > 1e-9).map(({ row }) => row)) + 1;
  const shown = ordered.slice(0, last);
  const rows = shown.map((frame, row) => ({
    at: row + 1,
    text: Number.isFinite(limit(frame)) ? `${limit(frame)} s` : '∞',
  }));
  const config = chart(range, timeZone, rows, (context, box) => {
    for (const { at, row, count } of cells.filter((cell) => cell.count > 1e-9)) {
      const warmth = Math.sqrt(count / most);
      context.fillStyle = HEAT[Math.min(Math.floor(warmth * HEAT.length), HEAT.length - 1)];
      context.fillRect(...box(at - step, at, row, row + 1));
    }
  });
  return <UPlotChart config={config} data={[[], []]} width={width} height={height} />;
}
