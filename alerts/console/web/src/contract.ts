/** What the API says, as types. Times are unix seconds. Change records leave out fields that hold their default. */

export type Level = 'blue' | 'yellow' | 'orange' | 'red';
export const LEVELS: readonly Level[] = ['red', 'orange', 'yellow', 'blue'];
export const RANK: Readonly<Record<string, number>> = { blue: 1, yellow: 2, orange: 3, red: 4 };

export type AlarmState = 'NORM' | 'UNACK' | 'ACKED' | 'RTNUN' | 'SHLVD' | 'DSUPR' | 'OOSRV';
export type IncidentState = 'open' | 'acknowledged' | 'dispatched' | 'calm' | 'closed';
export type Leg = 'issued' | 'accepted' | 'on_scene' | 'resolved' | 'fed_back' | 'follow_up' | 'closed' | 'refused';

/** What closes the loop of a dispatch that was dealt with. */
export type Loop = 'feed_back' | 'follow_up';
export type Kind = 'risk' | 'data_quality' | 'system';
export type Disposition = 'real' | 'nuisance' | 'test' | 'duplicate';
export type Role = 'gateway' | 'viewer' | 'duty' | 'dispatcher' | 'field' | 'analyst' | 'administrator';
/** Roles whose work is the whole site's: nobody who has one is confined to places. */
export const WHOLE_SITE: readonly Role[] = ['gateway', 'analyst', 'administrator'];
export const ROLES: readonly Role[] = ['gateway', 'viewer', 'duty', 'dispatcher', 'field', 'analyst', 'administrator'];

export interface Text {
  zh: string;
  en: string;
}

export interface Me {
  name: string;
  display: string;
  roles: Role[];
  unit: string | null;
  language: string | null;
  places?: string[]; // what the account is confined to; of none it is the whole site
  second?: boolean; // one gives a code beside the password
  second_needed?: boolean; // one has to set that up before anything else
  second_kept?: boolean; // one may not take it away
  external?: boolean; // one signs in by a provider, and has no password here
  csrf: string;
  zone: string;
  site: { id: string; name: Text };
}

export interface Named {
  id: string;
  name: Text;
}
export interface AreaType extends Named {
  close_needs?: Loop[];
}
export interface Place extends Named {
  kind: string;
  parent: string | null;
}
export interface Area extends Named {
  type: string;
  field: string;
  place: string;
  subdistrict: string;
  location: [number, number] | null;
  points: string[];
  cameras: string[];
}
export interface Point extends Named {
  areas: string[];
  quantity: string;
  unit: string;
  limit: number | null;
  limit_below: boolean;
  levels: Partial<Record<Level, number>>;
  normal: [number, number] | null;
  interval: number;
  location?: [number, number] | null;
}
export interface Camera extends Named {
  areas: string[];
  location?: [number, number] | null;
  view?: string;
  viewer?: string | null;
}
export interface Unit extends Named {
  kind: string;
  place: string;
  types?: string[];
  location?: [number, number] | null;
  contact?: string;
}
/** What is drawn under the areas; `bounds` are the south-west and north-east corners of a picture. */
export interface SiteMap {
  kind: 'geojson' | 'picture' | 'none';
  bounds: [[number, number], [number, number]] | null;
  tiles: string;
  attribution: string;
}
export type Health = 'live' | 'stale' | 'never';
type Counts = Record<Health, number>;

export interface CameraFare {
  camera: string;
  area: string;
  supplier: string;
  state: Health;
  troubled: boolean; // an alarm of data quality about it stands
  in_order: number | null; // 0..1 of the time; null where nothing was ever heard
  troubles: number;
  time_to_repair: number | null; // seconds
}
export interface AreaCount {
  area: string;
  points: Counts;
  cameras: Counts;
}
export interface PlaceCount {
  place: string;
  points: Counts; // each once, also one of two areas
}
export interface AreaStatus {
  area: string;
  points: { id: string; value: number | null; time: number | null; age: number | null; state: Health }[];
  cameras: { id: string; time: number | null; age: number | null; state: Health }[];
}
export interface Site {
  id: string;
  name: Text;
  zone: string;
  language: string;
  fields: Named[];
  area_types: AreaType[];
  places: Place[];
  areas: Area[];
  points: Point[];
  cameras: Camera[];
  units: Unit[];
  seats?: Named[];
  version?: string;
  map?: SiteMap;
}

/** Alarms that rang, against what a desk can bear (EEMUA 191). */
export interface LoadNow {
  ten_minutes: number;
  day: number;
  band: 'acceptable' | 'manageable' | 'demanding' | 'unacceptable';
  flood: boolean;
  flood_since: number | null;
  levels?: Partial<Record<Level, number>>;
}

export interface Status {
  time: number; // when the engine last spoke
  now: number; // the server's clock when it said so
  readings_per_second: number;
  points_total: number;
  points_live: number;
  cameras_total: number;
  cameras_live: number;
  open: Partial<Record<Level, number>>;
  load?: LoadNow;
  quarantine: Record<string, number>;
  engine_lag: number;
  trouble?: '' | 'unwritten' | 'unread' | 'behind'; // why alarms may not be seen although the engine speaks
  journal_position: number;
  simulated: boolean;
}

export interface Term {
  name: string;
  value?: number | null;
  op?: string;
  threshold?: number | null;
  unit?: string;
  holds?: boolean | null;
  low?: number | null;
  high?: number | null;
}
/** What a camera saw or a person reported, as evidence. */
export interface Seen {
  kind: string;
  time: number;
  camera?: string;
  level?: string;
  detail?: string; // in the source's own words
  report?: string; // the report's id
  by?: string;
  photo?: boolean;
}
export interface Explanation {
  clause: string;
  clause_zh?: string; // the same in Chinese; empty where it stays as it is
  terms?: Term[];
  clear?: string;
  clear_zh?: string;
  clear_terms?: Term[];
  hold?: number;
  clear_after?: number;
  points?: string[];
  cameras?: string[];
  events?: Seen[];
  score?: number | null;
  score_reason?: string; // in English
  score_reason_zh?: string;
  foreseen?: string; // what the trend foresees of a limit, in English
  foreseen_zh?: string;
  gone?: string; // the source that says of itself that it has gone
  unconfirmed?: string[]; // points of the evidence that their redundant ones do not confirm
}

/** What a person reported; `subject` is a keyed hash, `photo` where its picture is, for those who may look. */
export interface Report {
  id: string;
  area: string;
  category: string;
  time: number;
  received: number;
  text: string;
  subject: string | null;
  photo: string | null;
  actor: string;
  simulated: boolean;
}

export interface Rationale {
  cause?: Text | string;
  consequence?: Text | string;
  response?: Text | string | (Text | string)[];
  plan?: (Text | string)[]; // the rule's checklist
  time_to_respond?: number | string;
  owner?: Text | string;
  review?: string;
}

/** How an alarm was set aside: shelved, suppressed or out of service. */
export interface Aside {
  by: string;
  reason: string;
  since: number;
  until: number;
  level: Level;
  hidden?: number; // how often it would have rung since
  mode?: string; // the mode of the site that suppresses it
  gateway?: string; // the gateway that is gone, of whose trouble it is a symptom
}
export type Mark = 'chattering' | 'folded' | 'fleeting' | 'stale' | 'latched' | 'silenced';

export interface AlarmTransition {
  id: string;
  alarm: string;
  sequence: number;
  rule: string;
  rule_version: string;
  kind: Kind;
  area: string;
  scope: string;
  incident?: string | null;
  edge: string;
  before: AlarmState;
  after: AlarmState;
  level: Level;
  level_before?: Level | null;
  onset?: number;
  time?: number;
  actor?: string;
  reason?: string;
  explanation?: Explanation | null;
  title?: Partial<Text>;
  rationale?: Rationale | null;
  simulated?: boolean;
  aside?: Aside | null;
  assignee?: string;
  marks?: Mark[];
  folded?: number; // rings that made no sound since it chatters
}
export interface Alarm {
  id: string;
  rule: string;
  rule_version: string;
  rule_title?: Partial<Text> | null;
  kind: Kind;
  area: string;
  scope: string;
  state: AlarmState;
  level: Level;
  onset: number;
  time: number;
  incident: string | null;
  acknowledged_by: string | null;
  simulated: boolean;
  sequence?: number;
  explanation?: Explanation | null;
  transitions?: AlarmTransition[];
  rationale?: Rationale | null;
  aside?: Aside | null;
  assignee?: string | null;
  marks?: Mark[];
  folded?: number;
  hushed?: boolean; // ours: its last ring was folded, and makes no sound
  plan?: (Text | string)[] | null;
  odds?: number | null; // how likely it is to be real, 0..1, by the verdicts on its like
  odds_reason?: Text | null;
}

/** Incidents of several areas of a subdistrict that rose together and may be one matter. */
export interface Candidate {
  id: string;
  place: string;
  incidents: string[];
  areas: string[];
  since: number;
  simulated: boolean;
}

/** What calls nobody for a time; an empty list matches anything. */
export interface Silence {
  id: string;
  state: 'on' | 'ended' | 'over';
  since: number;
  until: number;
  level: Level;
  areas: string[];
  scopes: string[];
  rules: string[];
  rule_titles?: Readonly<Record<string, Text>>; // of those that the site has
  by: string;
  reason: string;
}

export interface IncidentChange {
  id: string;
  incident: string;
  sequence: number;
  area: string;
  kind: Kind;
  edge: string;
  state: IncidentState;
  level: Level;
  cause: string;
  alarms: string[];
  opened: number;
  time: number;
  actor?: string;
  reason?: string;
  disposition?: string;
  title?: Partial<Text>;
  args?: Record<string, unknown>;
  exercise?: string;
  simulated?: boolean;
  unacknowledged?: boolean; // an alarm of it waits for an acknowledgement
  sort?: 'report' | 'dispute' | '';
  subject?: string;
}
export interface Incident {
  id: string;
  area: string;
  kind: Kind;
  state: IncidentState;
  level: Level;
  cause: string;
  alarms: string[];
  opened: number;
  time: number;
  acknowledged_by: string | null;
  simulated: boolean;
  title: Partial<Text> | null;
  sequence: number;
  dispatches: string[];
  disposition: string | null;
  exercise?: string | null; // the drill that it is part of
  odds?: number | null; // of its alarm that is likeliest to be real
  sort?: 'report' | 'dispute' | null; // a case that people have told of
  subject?: string | null; // whom that is about, as a keyed hash
}
/** One step of a plan as it stands: due at the incident's level, ticked by whom. */
export interface CheckedStep {
  id: string;
  text: Text;
  role: Text | null;
  level: Level;
  due: boolean;
  ticked: { by: string; time: number; note: string } | null;
}
/** The prepared response that an incident keeps to. */
export interface Checklist {
  id: string;
  version: string;
  name: Text;
  level: Level;
  roles: Record<string, Text>;
  steps: CheckedStep[];
  contacts: { name: Text; phone: string; role: string }[];
  drafts: { id: string; name: Text; text: Text }[];
  overlays: { name: Text; file: string }[];
}
/** The plan in force of other areas of an incident: to be read, with nothing ticked. */
export interface FurtherPlan extends Checklist {
  areas: string[];
}
export interface Snapshot {
  camera: string;
  time: number;
  url: string;
  clip?: string | null; // what moved around it, where that is kept
}
/** A file that was put with an alarm; `url` for those who may open it. */
export interface Attachment {
  alarm: string;
  sha: string;
  type: string;
  name: string;
  bytes: number;
  time?: number | null;
  by?: string;
  url?: string | null;
}
export interface IncidentDetail extends Incident {
  alarm_details: Alarm[];
  dispatch_details: Dispatch[];
  history: IncidentChange[];
  snapshots: Snapshot[];
  attachments?: Attachment[];
  suggested_units: string[]; // for the area of its cause
  suggested_at?: Record<string, string[]>; // by area, that of its cause first, where it has several
  plan?: Checklist | null;
  further_plans?: FurtherPlan[]; // of its other areas, that of the worst alarm first
}

export interface DispatchChange {
  id: string;
  dispatch: string;
  sequence: number;
  incident: string;
  area: string;
  unit: string;
  edge: string;
  leg: Leg;
  level: Level;
  deadline?: number | null;
  time: number;
  overdue?: boolean;
  actor?: string;
  reason?: string;
  event?: { data?: DispatchBrief } | null; // a CloudEvent: what whoever is sent needs to know
  simulated?: boolean;
  previous?: string; // the unit that lost it
  lead?: string;
}
/** The part of a dispatch's CloudEvent that the phone page shows. */
export interface DispatchBrief {
  title?: Partial<Text> | null;
  why?: string;
  note?: string;
}
export interface Dispatch {
  id: string;
  incident: string;
  area: string;
  unit: string;
  leg: Leg;
  level: Level;
  deadline: number | null;
  overdue: boolean;
  issued: number;
  time: number;
  simulated: boolean;
  title?: Partial<Text> | null; // its incident's
  note?: string;
  lead?: string | null; // the unit that leads where several work together
  sequence?: number;
  history?: DispatchChange[];
  plan?: Checklist | null;
  area_plan?: FurtherPlan | null; // of where it goes, where the incident keeps to another area's
  brief?: DispatchBrief; // ours, taken from the newest event
}

export interface Trace {
  point: string;
  unit: string;
  learning: boolean; // the model has no score for this point yet
  time: number[];
  value: (number | null)[];
  score?: (number | null)[];
  flagged?: FlaggedReading[];
  min?: (number | null)[];
  max?: (number | null)[];
  forecast?: Forecast | null;
}

/** Where the latest readings lead; `eta` and its range are seconds from the first time, null when not in sight. */
export interface Forecast {
  time: number[];
  value: number[];
  low: number[];
  high: number[];
  eta: number | null;
  soonest: number | null;
  latest: number | null;
}

/** A reading of poor quality with its raw value; `aside`: it was not scored, and is in no other list. */
export interface FlaggedReading {
  time: number;
  value: number | null;
  flags: string[];
  aside: boolean;
}

export interface User {
  name: string;
  display: string;
  roles: Role[];
  unit?: string | null;
  language?: string | null;
  disabled?: boolean;
  active?: boolean;
  last_seen?: number | null;
  places?: string[];
  second?: boolean;
  external?: boolean; // it signs in by a provider, which says what it may do
  erased?: boolean; // all that was kept of its holder is gone, and it stays as it is
}

/** What was taken away of somebody: lines of the journal, and those that stay while what they are of is open. */
export interface Erased {
  lines: number;
  left: number;
}

export interface Token {
  id: string;
  name: string;
  roles: Role[];
  unit: string | null;
  places?: string[];
  author: string;
  created: number;
  expires: number;
  used: number | null;
  revoked: boolean;
}

export interface OpenSession {
  id: string;
  user: string;
  created: number;
  seen: number;
  expires: number;
  address: string;
  agent: string;
  mine: boolean;
}

export interface AuditEntry {
  sequence: number;
  time: number;
  actor: string;
  action: string;
  target: string;
  detail: Record<string, unknown>;
}

/** A page of the audit; the first one says whether the chain of hashes holds. */
export interface Audit {
  items: AuditEntry[];
  next: number | null;
  checked: boolean;
  broken: number | null;
}

/** Something that runs on demand, one at a time. */
export interface Work {
  running: boolean;
  begun: number | null;
  ended: number | null;
  error: string;
}

export interface SystemChecks extends Work {
  findings: { what: string; well: boolean; told: string }[]; // told: in the reader's language
  problems: { file: string; line: number | null; field: string; told: string }[];
}

export interface Backups extends Work {
  folder: string;
  encrypted: boolean;
  bytes: number;
  items: { file: string; time: number; bytes: number; encrypted: boolean }[];
}

export type ReportPeriod = 'day' | 'week' | 'month';
export type ReportLeg = 'acknowledge' | 'accept' | 'on_scene' | 'resolve' | 'close';

export interface Spread {
  count: number;
  median: number | null;
  most: number | null; // nine in ten keep within
}

export interface InOrder {
  total: number;
  never: number; // never heard of, in no share
  share: number | null;
  series: (number | null)[];
}

export interface SituationFigures {
  alarms: number;
  levels: Record<Level, number>;
  series: Record<Level, number[]>;
  incidents: number;
  peaks: Record<Level, number>;
  closed: number;
  dispositions: Record<string, number>;
  nuisance: { of: number; share: number | null; low: number | null; high: number | null };
  times: Record<ReportLeg, Spread>;
  orders: number;
  overdue: number;
  lead: Spread & { limits: number };
  availability: { points: InOrder; cameras: InOrder };
}

/** A day, a week or a month of a place, against the one before. */
export interface SituationReport {
  place: string;
  period: ReportPeriod;
  first: string;
  begin: number;
  end: number;
  before: { begin: number; end: number };
  marks: number[];
  known_from: number | null; // when the journal begins
  compared: boolean;
  now: SituationFigures;
  past: SituationFigures;
  types: ({ type: string; field: string; alarms: number; before: number } & Record<Level, number>)[];
  places: {
    place: string; alarms: number; before: number; peaks: Record<Level, number>; accept: Spread; close: Spread;
    orders: number; overdue: number; points: number | null; cameras: number | null;
  }[];
  rules: { rule: string; title: Text; alarms: number }[];
  actors?: { area: string; rule: string; title: Text; scope: string; rings: number; share: number; chattered: number; stale: number }[];
  leads: { area: string; incident: string; title: Text | null; point: string; seconds: number }[];
  poor: { id: string; area: string; name: Text; share: number; troubles: number }[];
  drills: { id: string; title: Text; began: number; met: number; of: number; score: number | null }[];
  worse: { what: string; type: string; now: number; before: number }[];
  left_out: number;
  cut: boolean;
}

export interface Page<T> {
  items: T[];
  next?: string | number | null;
}

export type Change =
  | { position: number; kind: 'alarm'; id: string; record: AlarmTransition }
  | { position: number; kind: 'incident'; id: string; record: IncidentChange }
  | { position: number; kind: 'dispatch'; id: string; record: DispatchChange }
  | { position: number; kind: 'result'; id: string; record: { id: string; ok?: boolean; reason?: string } };

export interface Promoted {
  version: string;
  by: string;
  time: number; // 0: not known
  reason: string;
}
export interface AreaModel {
  area: string;
  version: string;
  drift: { rows: number; independent: number; outside: number; usual: number; drifted: boolean; points: string[] } | null;
  warning: Partial<Text>;
}
export interface LearntModel {
  version: string;
  area: string;
  kind: string;
  points: string[];
  interval: number;
  begin: number;
  end: number;
  rows: number;
  code: string;
  source: string;
  trained: number;
  tried: { kind: string; false: number; found: number }[]; // shares; -1 untried
  in_force: boolean;
  promoted: Promoted | null;
  missing: string[];
}
export interface TriageModel {
  version: string;
  begin: number;
  end: number;
  code: string;
  trained: number;
  figures: {
    verdicts: number;
    real: number;
    tested: number;
    brier: number;
    brier_constant: number;
    order: number;
    bins: { count: number; told: number; real: number }[];
  };
  in_force: boolean;
  promoted: Promoted | null;
  since: { verdicts: number; told: number; real: number; brier: number; expected: number; drifted: boolean } | null;
  warning: Partial<Text>;
}
export interface Models {
  items: AreaModel[]; // in force
  learnt: LearntModel[];
  triage: TriageModel[];
  problems: string[];
  time: number;
}
export interface ModelDone {
  of: string;
  version: string; // empty: none is in force any more
  before: string;
  publication: string; // empty: nothing runs
  waiting: boolean;
  changed: boolean;
}
export type PointState = 'never' | 'learning' | 'counting' | 'known';
export const POINT_STATES: readonly PointState[] = ['known', 'counting', 'learning', 'never'];
export type PointOrder = 'worst' | 'rate99' | 'alarms' | 'scored' | 'point';
export interface PointCalibration {
  point: string;
  areas: string[];
  state: PointState;
  learning: boolean;
  scored: number;
  ratios: Record<string, number>; // observed over nominal, by level
  alarms: number;
  days: number;
  allowed: number;
  alarms_per_day: number | null;
  budget: number;
  kind: string;
  guessed: string | null;
}
export interface LevelRates {
  level: number;
  points: number;
  fair: number | null;
  share: number[];
  ratio: number[];
}
export interface Calibration {
  items: PointCalibration[];
  total: number;
  next: number | null;
  states: Record<PointState, number>;
  levels: LevelRates[];
  alarms: number;
  allowed: number;
  shipped: number;
}
export interface Guessed {
  point: string;
  areas: string[];
  kind: string;
}

/** Who is on duty now, and which turn is to be taken over. */
export interface Duty {
  time: number;
  people: { seat: string; name: Text; account: string; shift: string; begin: number; end: number; load?: LoadNow | null }[];
  turn: DutyTurn | null;
  mine: boolean;
}
export interface DutyTurn {
  key: string;
  shift: string;
  begin: number;
  end: number;
  signed: boolean;
}
/** Of what lasts: whether it ends soon. */
interface Ending { soon: boolean }
export interface SheetPart<T> {
  items: T[];
  more: number;
}
export interface SheetIncident { id: string; area: string; level: Level; state: IncidentState; title: Text | null; opened: number; acknowledged_by: string | null; steps_done: number; simulated: boolean }
export interface SheetDispatch { id: string; incident: string; area: string; unit: string; leg: Leg; level: Level; deadline: number | null; simulated: boolean }
export interface SheetAlarm { id: string; area: string; scope: string; level: Level; state: AlarmState; title?: Text | null; rule_title?: Text | null; onset?: number; until?: number | null; reason?: string | null; by?: string | null; simulated: boolean }
export interface SheetComment { incident: string; area: string; time: number; actor: string; text: string }
export interface SignedHandover {
  id: string;
  turn: string;
  shift: string;
  begin: number;
  time: number;
  actor: string;
  reason: string;
  people: Record<string, string>;
}
export interface Handover {
  turn: DutyTurn | null;
  people: Record<string, string>;
  sheet: {
    time: number;
    since: number;
    open: SheetPart<SheetIncident>;
    outside: SheetPart<SheetAlarm>;
    overdue: SheetPart<SheetDispatch>;
    shelved: SheetPart<SheetAlarm>;
    silences: SheetPart<Silence & Ending>;
    modes: SheetPart<LastingMode & Ending>;
    degraded: SheetPart<SheetAlarm>;
    comments: SheetPart<SheetComment>;
    closed: number;
    load: { rings: number; peak: number; floods: number; flood_minutes: number };
  };
  signed: SignedHandover | null;
}

/** A drill; it runs while `ended` is null. */
export interface RuleLevel {
  level: Level;
  when: string;
  clear: string | null;
  hold: number; // seconds
  clear_after: number; // seconds
}
export interface RuleShown {
  id: string;
  title: Partial<Text>;
  kind: Kind;
  scope: 'point' | 'area' | 'camera';
  priority: 'low' | 'normal' | 'high';
  version: number;
  template: string;
  levels: RuleLevel[];
  rationale: Record<string, unknown>;
  cost?: { time: number; seconds: number; bytes: number; places: number } | null; // CPU seconds a reading; as it was measured
}
export interface Draft {
  rule: string;
  text: string;
  base: string; // names the version of the rule that it was begun from
  begun: number;
  changed: number;
}
export interface OtherDraft {
  actor: string;
  begun: number;
  changed: number;
}
export interface RuleOpened {
  id: string;
  text: string; // as it is in force; '' for a new one
  base: string;
  in_folder: boolean;
  template: { id: string; file: string; line: number } | null;
  draft: Draft | null;
  others: OtherDraft[];
  moved: boolean;
}
export interface DraftChecked {
  problems: { file: string; line: number; field: string; message: string; said?: string }[]; // said: in the reader's language
  more: number;
  tests: { rule: string; name: Text; line: number; state: 'passed' | 'failed' | 'not_run'; said: string }[];
  rules: { id: string; how: 'same' | 'added' | 'changed' | 'removed'; fields: [string, string, string][]; version: number; raise_version: boolean }[];
}
export interface DraftPublished {
  version: string;
  changed: boolean;
  waiting: boolean;
  folder: 'written' | 'differs';
  base: string;
}
export interface RuleVersion {
  version: string;
  time: number;
  author: string;
  reason: string;
  in_force: boolean;
  fields: [string, string, string][];
  text: string;
  base: string;
}
/** What rules of this site may name. */
export type RuleWords = Record<'names' | 'quantities' | 'tags' | 'modes' | 'events' | 'reports' | 'plans' | 'templates' | 'rules', string[]>;
/** A share of so many, with its 95 % interval. */
export interface Share {
  of: number;
  value: number | null;
  low: number | null;
  high: number | null;
}
export interface RulePrecision {
  rule: string;
  counts: Record<string, number>;
  precision: Share;
  recall: Share;
  by_hour: number[]; // nuisances by hour of the site's day
  places: { scope: string; real: number; nuisance: number }[];
  lead?: { of: number; before: number; median: number | null } | null; // null where no limit was reached
}
export type How = 'gained' | 'lost' | 'earlier' | 'later' | 'level' | 'same';
export interface ShadowStatus {
  id: string;
  state: string;
  began: number | null;
  ended: number | null;
  author: string;
  reason: string;
  rules: number;
  fault: string;
  ended_by: string;
  ended_why: string;
  counts: Partial<Record<How, number>>;
  seconds: number | null;
  by_rule: Record<string, Partial<Record<How, number>>>;
  verdicts: { rule: string; scope: string; area: string; how: How; open: boolean; time: number; seconds: number | null; before: string; after: string }[];
}
export interface Proposal {
  number: number;
  version: string;
  state: string;
  author: string;
  proposed: number;
  why: string;
  difference: string[];
  time: number;
  by: string;
  reason: string;
}
export interface Publication {
  version: string;
  time: number;
  author: string;
  reason: string;
  difference: string[];
  in_force: boolean;
}
export interface PublishDone {
  version: string;
  changed: boolean;
  waiting: boolean;
  difference?: { rules?: { unraised?: string[] } };
}
export interface Replay {
  id: string;
  author: string;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  started: number;
  ended: number | null;
  done: number;
  total: number;
  reason: string;
  version: string;
  against: string;
  from: number | null;
  to: number | null;
  rule: string; // what it is about; '' where nobody said
  sweep: boolean;
}
/** What a threshold and a delay of a rule would have done; where `limit` is said, that of the registry is varied. */
export interface Tried {
  threshold: number;
  delay: number; // seconds
  factor: number;
  when: string;
  as_it_is: boolean;
  suggested: boolean;
  alarms: number;
  false: number;
  nuisance: number;
  missed: number;
  lead: number | null; // seconds
  limit: string;
}
export interface SweepResult {
  rule: string;
  judged: number;
  sweep: Tried[];
}
export interface SideLoad {
  rings: number;
  peak: number;
  peak_at: number | null; // unix seconds
  flood_minutes: number;
}
export interface ReplaySide {
  alarms: number;
  dispatches: number;
  load: SideLoad;
  hours: Record<string, number>;
  seats: Record<string, SideLoad>;
  seat_hours: Record<string, Record<string, number>>;
  warned: number;
  lead: number | null; // seconds
}
export interface ReplayResult {
  observations: number;
  readings: number;
  recorded: { agrees: boolean } | null;
  before: ReplaySide;
  after: ReplaySide;
  alarms: {
    what: How[];
    rule: string;
    scope: string;
    area: string;
    before: { raised: number; level: Level } | null;
    after: { raised: number; level: Level } | null;
    shift: number | null;
  }[];
  dispatches: {
    what: How[];
    area: string;
    unit: string;
    before: { issued: number; level: Level } | null;
    after: { issued: number; level: Level } | null;
  }[];
  leads: { point: string; time: number; before: number | null; after: number | null }[];
  counts: Partial<Record<How, number>>;
  by_rule: Record<string, Partial<Record<How, number>>>;
  same: number;
}
export interface ReplayFound extends Replay {
  problems: { file: string; line: number; field: string; message: string; said: string }[]; // said: in the reader's language
  result: ReplayResult | SweepResult | null;
}
export interface KnownMode {
  id: string;
  name: Partial<Text>;
  longest: number; // seconds
}
/** A mode in one area (empty: in the whole site). */
export interface LastingMode {
  order: string;
  mode: string;
  area: string;
  state: 'on' | 'replaced' | 'ended' | 'over' | 'refused';
  since: number;
  until: number;
  by: string;
  reason: string;
  time: number;
  ended_by: string;
  ended_why: string;
}
export interface Modes {
  modes: KnownMode[];
  items: LastingMode[];
}
export interface Drill {
  id: string;
  title: Partial<Text>;
  areas: string[];
  units: string[];
  began: number;
  ended: number | null;
}
/** A script of a drill, with its mistakes; `lasts` in seconds, `acts` are the parts that it plays itself. */
export interface DrillScript {
  name: string;
  title: Partial<Text>;
  areas: string[];
  units: string[];
  lasts: number;
  acts: number;
  problems: { file: string; line?: number | null; field: string; told: string }[];
}
/** How the drill goes that was begun on a page last: `seconds` of its script, what the script said last. */
export interface DrillRun {
  id: string;
  script: string;
  lasts: number;
  seconds: number;
  said: Partial<Text> | null;
  over: boolean;
  error: string;
}
export interface DrillScripts {
  items: DrillScript[];
  last: DrillRun | null;
}
export interface DrillReport extends Drill {
  incidents: {
    id: string;
    title: Text;
    area: string;
    legs: { leg: string; seconds: number | null; objective: number | null; met: boolean | null }[];
    steps_done: number;
    steps: number;
  }[];
  missed: { time: number; do: string; of: string; reason: string; said: Text }[];
  met: number;
  of: number;
  score: number | null;
}

/** A target of notifications, with what it has not taken yet. */
export interface NotificationTarget {
  name: string;
  kind: string;
  waiting: number;
  held: number;
  dead: number;
  error: string;
  letters: { id: string; unit: string; area: string; attempts: number; due: number; dead: boolean; error: string }[];
}

/** Points whose data are poor, the worst first; cameras whose clock is wrong. */
export interface Quality {
  items: { point: string; areas: string[]; day: Record<string, number>; total: Record<string, number>; clock: number | null; last_good: number | null }[];
  cameras: { camera: string; areas: string[]; clock: number }[];
}
/** An input that was refused, with its first bytes. */
export interface Refused {
  id: string;
  time: number;
  source: string;
  topic: string;
  reason: string;
  text: Text;
  detail: string;
  size: number;
  raw: string;
  whole: boolean;
  replayed: number | null;
}
export interface RefusedCounts {
  messages: number;
  readings: number;
  replayed: number;
  by_reason: Record<string, { messages: number; readings: number }>;
}
export interface RefusedReplay {
  dry_run: boolean;
  messages: number;
  outcomes: Record<string, number>;
  readings: number;
  events: number;
  refused: Record<string, number>;
  following: number | null;
}
/** Readings of a point over a time; columns as in a trace. */
export interface ExploredTrace {
  point: string;
  unit: string;
  time: number[];
  value: (number | null)[];
  score: (number | null)[];
  min?: (number | null)[];
  max?: (number | null)[];
  flagged?: FlaggedReading[];
}
/** Some points over one time; all readings are there from `since` on. */
/** What cameras saw, the newest first. */
export interface SeenEvent { camera: string; area: string; kind: string; time: number; confidence: number | null; detail: string; simulated: boolean }
export interface SeenEvents { items: SeenEvent[]; complete: boolean }
export interface Explored {
  items: ExploredTrace[];
  alarms: { id: string; rule: string; title: Partial<Text>; area: string; scope: string; level: Level; simulated: boolean; begin: number; end: number }[];
  reports: { id: string; area: string; category: string; time: number }[];
  complete: boolean;
  since: number;
}
