// What the dashboards must be, in Grafana's own types. A panel's options and field settings depend on what kind of
// panel it is; Grafana's type of a dashboard leaves them open, so each kind is named here.
import type { Dashboard, FieldConfigSource, Panel, RowPanel } from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import type * as heatmap from '@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen';
import type * as stat from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as statetimeline from '@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import type * as table from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as timeseries from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

interface Drawn<Options, Custom> extends Omit<Panel, 'options' | 'fieldConfig'> {
  options: Options;
  fieldConfig: FieldConfigSource<Custom>;
}

export interface Grafana {
  dashboard: Dashboard;
  row: RowPanel;
  bargauge: Drawn<bargauge.Options, {}>;
  heatmap: Drawn<heatmap.Options, heatmap.FieldConfig>;
  stat: Drawn<stat.Options, {}>;
  'state-timeline': Drawn<statetimeline.Options, statetimeline.FieldConfig>;
  table: Drawn<table.Options, table.FieldConfig>;
  timeseries: Drawn<timeseries.Options, timeseries.FieldConfig>;
}
