// From Prometheus's answers to what Grafana's panels take: data frames, transformed and with field settings applied.
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  createTheme,
  FieldType,
  Registry,
  standardTransformers,
  standardTransformersRegistry,
  toDataFrame,
  transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

export const theme = createTheme({
  colors: { mode: 'dark' },
  typography: { fontFamily: "Inter, 'Noto Sans CJK SC', sans-serif" },
});

// Some have two names.
const transformers = new Map(Object.values(standardTransformers).map((transformer) => [transformer.id, transformer]));

standardTransformersRegistry.setInit(() =>
  [...transformers].map(([id, transformer]) => ({ id, name: transformer.name, transformation: async () => transformer }))
);

const legend = (format, labels) =>
  format ? format.replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '') : undefined;

const number = (text) => (text === 'NaN' ? null : Number(text));

// One frame for each series of a query, as Grafana's data source makes them.
function seriesFrames(target, series) {
  return series.map(({ metric, values, value }) => {
    const points = values ?? [value];
    const name = legend(target.legendFormat, metric);
    return toDataFrame({
      refId: target.refId,
      name,
      fields: [
        { name: 'Time', type: FieldType.time, values: points.map(([at]) => at * 1000) },
        {
          name: 'Value',
          type: FieldType.number,
          labels: metric,
          values: points.map(([, text]) => number(text)),
          config: name ? { displayNameFromDS: name } : {},
        },
      ],
    });
  });
}

// One frame for a query whose format is a table: a column for each label.
function tableFrame(target, series) {
  const labels = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))];
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: series.map(({ value }) => value[0] * 1000) },
      ...labels.map((label) => ({
        name: label,
        type: FieldType.string,
        values: series.map(({ metric }) => metric[label]),
      })),
      {
        name: `Value #${target.refId}`,
        type: FieldType.number,
        values: series.map(({ value }) => number(value[1])),
      },
    ],
  });
}

// The settings that our panels use. Grafana's own list belongs to the application, not to its libraries.
function settings(panel) {
  const infinite = (thresholds) =>
    thresholds && {
      ...thresholds,
      steps: thresholds.steps.map((step) => ({ ...step, value: step.value ?? -Infinity })),
    };
  const item = (id, isCustom) => ({
    id: isCustom ? `custom.${id}` : id,
    path: id,
    name: id,
    isCustom,
    process: id === 'thresholds' ? infinite : (value) => value,
    shouldApply: (field) => field.type !== FieldType.time,
  });
  const custom = new Set(Object.keys(panel.fieldConfig.defaults.custom ?? {}));
  for (const { properties } of panel.fieldConfig.overrides) {
    for (const { id } of properties.filter((property) => property.id.startsWith('custom.'))) {
      custom.add(id.slice('custom.'.length));
    }
  }
  const usual = ['displayName', 'unit', 'decimals', 'min', 'max', 'noValue', 'mappings', 'thresholds', 'color'];
  return new Registry(() => [...usual.map((id) => item(id, false)), ...[...custom].map((id) => item(id, true))]);
}

export async function framesOf(panel, answers, timeZone) {
  const raw = panel.targets.flatMap((target) =>
    target.format === 'table'
      ? [tableFrame(target, answers[target.refId])]
      : seriesFrames(target, answers[target.refId])
  );
  const context = { interpolate: (text) => text };
  const transformed = await lastValueFrom(transformDataFrame(panel.transformations ?? [], raw, context));
  const frames = applyFieldOverrides({
    data: transformed,
    fieldConfig: panel.fieldConfig,
    fieldConfigRegistry: settings(panel),
    replaceVariables: (text) => text,
    theme,
    timeZone,
  });
  cacheFieldDisplayNames(frames);
  return frames;
}
