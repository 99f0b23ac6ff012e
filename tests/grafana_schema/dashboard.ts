import { Dashboard } from '@grafana/schema';

export type D = Dashboard;
