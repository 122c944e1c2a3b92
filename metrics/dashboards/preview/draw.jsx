// Draws a dashboard with Grafana's own components, from its JSON and Prometheus's answers to its queries.
import {
  dateTime,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  ThemeContext,
  VizOrientation,
} from '@grafana/data';
import { BarGauge, BigValue, GlobalStyles, PanelChrome, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import React from 'react';
import { createRoot } from 'react-dom/client';

import { framesOf, theme } from './data';
import { Heatmap, StateTimeline } from './plots';

const UNIT_PX = 30;
const GAP_PX = 8;
const HEAD_PX = 56;
const COLUMNS = 24;

function Figures({ panel, frames, timeZone, width, height, one, itemSpacing }) {
  const { options } = panel;
  const getValues = () =>
    getFieldDisplayValues({
      fieldConfig: panel.fieldConfig,
      reduceOptions: options.reduceOptions,
      replaceVariables: (text) => text,
      theme,
      data: frames,
      timeZone,
    });
  return (
    <VizRepeater
      getValues={getValues}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={one}
      width={width}
      height={height}
      source={frames}
      itemSpacing={itemSpacing}
      renderCounter={0}
      autoGrid
      orientation={options.orientation}
      minVizHeight={options.minVizHeight ?? 10}
      minVizWidth={options.minVizWidth ?? 10}
      maxVizHeight={options.maxVizHeight ?? 300}
    />
  );
}

function Stat(props) {
  const { options } = props.panel;
  const one = ({ value, width, height, alignmentFactors, count }) => (
    <BigValue
      value={value.display}
      count={count}
      colorMode={options.colorMode}
      graphMode={options.graphMode}
      justifyMode={options.justifyMode}
      textMode={options.textMode}
      wideLayout={options.wideLayout}
      alignmentFactors={alignmentFactors}
      text={options.text}
      width={width}
      height={height}
      theme={theme}
    />
  );
  return <Figures {...props} one={one} itemSpacing={3} />;
}

function Bars(props) {
  const { options } = props.panel;
  const one = ({ value, width, height, alignmentFactors, orientation }) => (
    <BarGauge
      value={value.display}
      field={value.field}
      display={value.view?.getFieldDisplayProcessor(value.colIndex)}
      orientation={orientation}
      displayMode={options.displayMode}
      valueDisplayMode={options.valueMode}
      namePlacement={options.namePlacement}
      showUnfilled={options.showUnfilled}
      alignmentFactors={alignmentFactors}
      text={options.text}
      itemSpacing={8}
      width={width}
      height={height}
      theme={theme}
    />
  );
  return <Figures {...props} one={one} itemSpacing={8} />;
}

// Grafana's chart; dashed lines where something happened that the dashboard marks.
function Lines({ panel, frames, range, timeZone, width, height, marks }) {
  const drawMarks = (config) => {
    config.addHook('draw', (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.setLineDash([4, 4]);
      for (const { at, color } of marks) {
        const x = plot.valToPos(at, 'x', true);
        ctx.strokeStyle = theme.visualization.getColorByName(color);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
      ctx.restore();
    });
    return null;
  };
  return (
    <TimeSeries
      frames={frames}
      timeRange={range}
      timeZone={timeZone}
      legend={panel.options.legend}
      options={panel.options}
      width={width}
      height={height}
    >
      {drawMarks}
    </TimeSeries>
  );
}

function Table({ panel, frames, width, height }) {
  return (
    <TableNG
      data={frames[0]}
      width={width}
      height={height}
      cellHeight={panel.options.cellHeight}
      fieldConfig={panel.fieldConfig}
      noValue={panel.fieldConfig.defaults.noValue}
      columnMinWidth={60}
      enableVirtualization={false}
    />
  );
}

const KINDS = {
  stat: Stat,
  bargauge: Bars,
  timeseries: Lines,
  table: Table,
  heatmap: Heatmap,
  'state-timeline': StateTimeline,
};

const FLUSH = new Set(['table']);

function Placed({ panel, width, children }) {
  const { x, y, w, h } = panel.gridPos;
  const column = (width - GAP_PX) / COLUMNS;
  const style = {
    position: 'absolute',
    left: GAP_PX + x * column,
    top: HEAD_PX + y * (UNIT_PX + GAP_PX),
    width: w * column - GAP_PX,
    height: h * (UNIT_PX + GAP_PX) - GAP_PX,
  };
  return <div style={style}>{children(style.width, style.height)}</div>;
}

function Row({ panel }) {
  return <div style={{ ...theme.typography.h5, padding: '4px 2px', color: theme.colors.text.primary }}>⌄ {panel.title}</div>;
}

function Head({ dashboard, range, timeZone }) {
  const when = (moment) => moment.toDate().toLocaleString('sv', { timeZone });
  return (
    <div style={{ padding: '12px 10px', display: 'flex', justifyContent: 'space-between', color: theme.colors.text.primary }}>
      <span style={theme.typography.h4}>{dashboard.title}</span>
      <span style={{ ...theme.typography.body, color: theme.colors.text.secondary }}>
        {when(range.from)} – {when(range.to)}
      </span>
    </div>
  );
}

function Dashboard({ dashboard, drawn, range, timeZone, marks, width }) {
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const height = HEAD_PX + bottom * (UNIT_PX + GAP_PX) + GAP_PX;
  return (
    <div id="dashboard" style={{ position: 'relative', width, height, background: theme.colors.background.canvas }}>
      <Head dashboard={dashboard} range={range} timeZone={timeZone} />
      {dashboard.panels.map((panel) => {
        const Kind = KINDS[panel.type];
        return (
          <Placed key={panel.id} panel={panel} width={width}>
            {(outerWidth, outerHeight) =>
              panel.type === 'row' ? (
                <Row panel={panel} />
              ) : (
                <PanelChrome
                  title={panel.title}
                  width={outerWidth}
                  height={outerHeight}
                  padding={FLUSH.has(panel.type) ? 'none' : 'md'}
                >
                  {(innerWidth, innerHeight) => (
                    <Kind
                      panel={panel}
                      frames={drawn[panel.id]}
                      range={range}
                      timeZone={timeZone}
                      marks={marks}
                      width={innerWidth}
                      height={innerHeight}
                    />
                  )}
                </PanelChrome>
              )
            }
          </Placed>
        );
      })}
    </div>
  );
}

// Called by the script that takes the picture. `answers` by the panel's id and the query's reference, `from` and `to`
// in milliseconds, `marks` as {at, color}.
window.draw = async ({ dashboard, answers, from, to, marks, width }) => {
  const timeZone = dashboard.timezone;
  const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
  const drawn = {};
  for (const panel of dashboard.panels.filter(({ type }) => type !== 'row')) {
    drawn[panel.id] = await framesOf(panel, answers[panel.id], timeZone);
  }
  createRoot(document.getElementById('root')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Dashboard {...{ dashboard, drawn, range, timeZone, marks, width }} />
    </ThemeContext.Provider>
  );
};
