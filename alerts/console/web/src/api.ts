/** The HTTP client: one function a call, errors as ApiError with a message a person can read. */
import type {
  Alarm, AreaCount, AreaStatus, Audit, Backups, Calibration, CameraFare, Candidate, Dispatch, Disposition, Draft, DraftChecked, DraftPublished, Drill, DrillReport, DrillScripts,
  Duty, Erased, Explored, Guessed, Handover, Incident, IncidentDetail, Me, ModelDone, Models, Modes, NotificationTarget, OpenSession, OtherDraft, Page, SeenEvents,
  PlaceCount, PointOrder, PointState, Proposal, Publication, PublishDone, Quality, Refused, RefusedCounts, RefusedReplay, Replay, ReplayFound, Report,
  ReportPeriod, Role, RuleOpened, RulePrecision, RuleShown, RuleVersion, RuleWords, ShadowStatus, SignedHandover, Silence, Site, SituationReport,
  Status, SystemChecks, Text, Token, Trace, User,
} from './contract';
import type { Schema } from './components/rule_completion';
import { language, t } from './i18n';
import { answered, keyOf } from './order_keys';

const ROOT = '/api/v1';
const PATIENCE = 15_000; // milliseconds before a request is given up

export class ApiError extends Error {
  constructor(
    readonly status: number, // 0: the request never reached the server
    readonly code: string,
    message: string,
    readonly field: string | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

let csrf = '';
let onSignedOut: () => void = () => {};

/** Remember the session's token, which every write sends along. */
export function setCsrf(token: string): void {
  csrf = token;
}

/** Is there a session whose token is known? */
export function mayWrite(): boolean {
  return csrf !== '';
}

/** Call `handler` whenever the server says that the session is over. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

/** Say that the session is over. */
export function endSession(): void {
  onSignedOut();
}

async function request<T>(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language.value, ...more };
  if (method !== 'GET') {
    headers['Content-Type'] = 'application/json';
    if (csrf) headers['X-Foreshock-CSRF'] = csrf;
  }
  const said = body === undefined ? null : JSON.stringify(body);
  const key = headers['Idempotency-Key'] ? null : keyOf(method, path, said ?? '');
  if (key) headers['Idempotency-Key'] = key;
  let response: Response;
  try {
    response = await fetch(ROOT + path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE),
      ...(said === null ? {} : { body: said }),
    });
  } catch {
    throw new ApiError(0, 'unreachable', t('error.unreachable'));
  }
  if (key) answered(path, response.status);
  if (response.ok) {
    if (response.status === 204) return undefined as T;
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError(response.status, 'unreadable', t('error.unreadable'));
    }
  }
  const failure = await readError(response);
  if (response.status === 401 && path !== '/session' && path !== '/me') endSession();
  throw failure;
}

async function readError(response: Response): Promise<ApiError> {
  let code = `http_${response.status}`;
  let message = '';
  let field: string | null = null;
  try {
    const { error } = (await response.json()) as { error: { code?: string; message?: string; field?: string } };
    code = error.code ?? code;
    message = error.message ?? '';
    field = error.field ?? null;
  } catch {
    // not our JSON (a proxy's page): fall through to a sentence of our own
  }
  return new ApiError(response.status, code, message || fallback(response.status), field);
}

function fallback(status: number): string {
  if (status === 401) return t('error.signed_out');
  if (status === 403) return t('error.forbidden');
  if (status === 404) return t('error.missing');
  if (status === 429) return t('error.too_many');
  if (status === 504) return t('error.engine_silent');
  return t('error.server', { status });
}

function query(values: Record<string, string | number | null | undefined>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value != null && value !== '') parts.set(name, String(value));
  const text = parts.toString();
  return text ? `?${text}` : '';
}

export interface RefusedQuery {
  reason: string;
  source: string;
  topic: string;
}

/** Leave out what is not asked for. */
function named(asked: RefusedQuery): Partial<RefusedQuery> {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ''));
}

const id = encodeURIComponent;

const MOST_AT_ONCE = 500; // what the server gives of a list in one answer

/** Read a list to its end, however many answers that takes: in a flood, what lies beyond the first is as open. */
async function whole<T>(path: string, asked: Record<string, string>): Promise<T[]> {
  const items: T[] = [];
  let before: string | number | null | undefined = null;
  do {
    const page: Page<T> = await request<Page<T>>('GET', path + query({ ...asked, limit: MOST_AT_ONCE, before }));
    items.push(...page.items);
    before = page.next;
  } while (before != null);
  return items;
}

function several(points: readonly string[]): string {
  return `?${points.map((point) => `points=${id(point)}`).join('&')}`;
}

/** The address of something to open or to keep, such as a sheet to print, in the language of the page. */
export function sheet(path: string): string {
  return `${ROOT}${path}?language=${language.value}`;
}

/** Where the browser goes to sign in by the provider, and to sign out there too. */
export const PROVIDER = { begin: `${ROOT}/oidc/begin`, end: `${ROOT}/oidc/end` };

/** The address of a situation report as PDF. */
export function situationSheet(place: string, period: ReportPeriod, day: string): string {
  return `${ROOT}/situation/report.pdf${query({ place, period, day, language: language.value })}`;
}

export interface NewUser {
  name: string;
  display: string;
  password: string;
  roles: Role[];
  unit: string | null;
  places: string[];
}

export interface ReportQuery {
  category?: string;
  area?: string;
  subject?: string;
  from?: number | null;
  before?: number | null;
}

export interface PointQuery {
  area?: string;
  find?: string;
  state?: PointState | '';
  order?: PointOrder;
  offset?: number;
}

export const api = {
  me: () => request<Me>('GET', '/me'),
  signIn: (name: string, password: string, code: string) => request<Me>('POST', '/session', { name, password, ...(code ? { code } : {}) }),
  muted: (reason: string) => request<unknown>('POST', '/me/mute', { reason }),
  signInBy: () => request<{ provider: Text | null }>('GET', '/sign-in'),
  giveSecond: (code: string) => request<unknown>('POST', '/me/second-step/code', { code }),
  signOut: () => request<unknown>('DELETE', '/session'),
  firstAdministrator: (token: string, name: string, password: string) =>
    request<Me>('POST', '/first-administrator', { token, name, password }),

  site: () => request<Site>('GET', '/site'),
  status: () => request<Status>('GET', '/status'),
  siteMap: () => request<GeoJSON.GeoJsonObject>('GET', '/map'),
  overlay: (plan: string, file: string) => request<GeoJSON.GeoJsonObject>('GET', `/plans/${id(plan)}/overlays/${id(file)}`),
  areaCounts: () => request<{ items: AreaCount[]; places: PlaceCount[] }>('GET', '/areas/status'),
  cameras: () => request<{ since: number; until: number; cameras: CameraFare[] }>('GET', '/cameras/operations'),
  areaStatus: (area: string) => request<AreaStatus>('GET', `/areas/${id(area)}/status`),

  openIncidents: () => whole<Incident>('/incidents', { state: 'open' }),
  openAlarms: () => whole<Alarm>('/alarms', { state: 'open' }),
  openDispatches: () => whole<Dispatch>('/dispatches', { state: 'open' }),
  incident: (key: string) => request<IncidentDetail>('GET', `/incidents/${id(key)}`),
  acknowledgeIncident: (key: string, sequence: number) => request<unknown>('POST', `/incidents/${id(key)}/acknowledge`, { sequence }),
  dispatch: (key: string, unit: string, note: string, area?: string) =>
    request<unknown>('POST', `/incidents/${id(key)}/dispatch`, { unit, note, area }),
  attach: (alarm: string, name: string, file: string) => request<unknown>('POST', '/attachments', { alarm, name, file }),
  comment: (key: string, text: string) => request<unknown>('POST', `/incidents/${id(key)}/comment`, { text }),
  close: (key: string, disposition: Disposition, reason: string, sequence: number) =>
    request<unknown>('POST', `/incidents/${id(key)}/close`, { disposition, reason, sequence }),

  merge: (key: string, others: string[], reason: string) =>
    request<unknown>('POST', `/incidents/${id(key)}/merge`, { incidents: others, reason }),
  candidates: () => request<Page<Candidate>>('GET', '/candidates'),
  answerCandidate: (key: string, what: 'merge' | 'drop') => request<unknown>('POST', `/candidates/${id(key)}/${what}`, {}),
  split: (key: string, alarms: string[], orders: string[], reason: string) =>
    request<unknown>('POST', `/incidents/${id(key)}/split`, { alarms, dispatches: orders, reason }),

  tick: (on: 'incidents' | 'dispatches', key: string, step: string, note: string) =>
    request<unknown>('POST', `/${on}/${id(key)}/tick`, { step, note }),
  untick: (on: 'incidents' | 'dispatches', key: string, step: string, reason: string) =>
    request<unknown>('POST', `/${on}/${id(key)}/untick`, { step, reason }),

  alarms: (state: string, before?: string | number | null, limit = 200) =>
    request<Page<Alarm>>('GET', `/alarms${query({ state, before, limit })}`),
  alarm: (key: string) => request<Alarm>('GET', `/alarms/${id(key)}`),
  acknowledgeAlarm: (key: string, sequence?: number) => request<unknown>('POST', `/alarms/${id(key)}/acknowledge`, { sequence }),
  resetAlarm: (key: string) => request<unknown>('POST', `/alarms/${id(key)}/reset`, {}),
  assign: (key: string, to: string, reason: string, sequence?: number) =>
    request<unknown>('POST', `/alarms/${id(key)}/assign`, { to, reason, sequence }),
  shelve: (key: string, seconds: number, reason: string, sequence?: number) =>
    request<unknown>('POST', `/alarms/${id(key)}/shelve`, { seconds, reason, sequence }),
  takeOut: (key: string, seconds: number, reason: string, sequence?: number) =>
    request<unknown>('POST', `/alarms/${id(key)}/out-of-service`, { seconds, reason, sequence }),
  bringBack: (key: string, way: 'unshelve' | 'in-service' | 'unsuppress') =>
    request<unknown>('POST', `/alarms/${id(key)}/${way}`, {}),

  silences: () => request<Page<Silence>>('GET', '/silences'),
  silence: (what: Partial<Pick<Silence, 'areas' | 'scopes' | 'rules' | 'level'>>, seconds: number, reason: string) =>
    request<unknown>('POST', '/silences', { ...what, seconds, reason }),
  endSilence: (key: string) => request<unknown>('POST', `/silences/${id(key)}/end`, {}),

  dispatchOne: (key: string) => request<Dispatch>('GET', `/dispatches/${id(key)}`),
  dispatchStep: (key: string, step: DispatchStep, body: { reason?: string; note?: string; seconds?: number }) =>
    request<unknown>('POST', `/dispatches/${id(key)}/${step}`, body),
  /** Do what a kept order says; the same key is the same order, however often it is sent. */
  order: (path: string, body: Record<string, unknown>, key: string) => request<unknown>('POST', path, body, { 'Idempotency-Key': key }),

  trace: (point: string, from: number, to: number, max: number, ahead: number) =>
    request<Trace>('GET', `/points/${id(point)}/trace${query({ from, to, max, ahead })}`),

  explore: (points: readonly string[], from: number, to: number, max: number) => request<Explored>('GET', `/explore${several(points)}&from=${from}&to=${to}&max=${max}`),
  exploreEvents: (points: readonly string[], from: number, to: number) => request<SeenEvents>('GET', `/explore/events${several(points)}&from=${from}&to=${to}`),
  exploreCsv: (points: readonly string[], from: number, to: number) => `${ROOT}/explore.csv${several(points)}&from=${from}&to=${to}`,

  reports: (asked: ReportQuery, limit = 100) => request<Page<Report>>('GET', `/reports${query({ ...asked, limit })}`),

  models: () => request<Models>('GET', '/models'),
  promoteModel: (version: string, reason: string) => request<ModelDone>('POST', '/models/promote', { version, reason }),
  rollModelBack: (of: string, present: string, reason: string) =>
    request<ModelDone>('POST', '/models/rollback', { of, present, reason }),
  modelPoints: (asked: PointQuery, limit = 50) => request<Calibration>('GET', `/models/points${query({ ...asked, limit })}`),
  quality: (area: string) => request<Quality>('GET', `/quality${query({ area, limit: 500 })}`),
  refused: (asked: RefusedQuery, limit: number, cursor: string | null) =>
    request<{ items: Refused[]; cursor: string | null }>('GET', `/quarantine${query({ ...asked, limit, cursor })}`),
  refusedCounts: (asked: RefusedQuery) => request<RefusedCounts>('GET', `/quarantine/statistics${query({ ...asked })}`),
  decodeAgain: (asked: RefusedQuery, dry: boolean, start: number) =>
    request<RefusedReplay>('POST', '/quarantine/replay', { ...named(asked), dry_run: dry, start }),
  guessed: async () => (await request<{ guessed: Guessed[] }>('GET', '/quality?limit=1000')).guessed,

  duty: () => request<Duty>('GET', '/duty'),
  handover: () => request<Handover>('GET', '/handover'),
  signHandover: (turn: string, comment: string) => request<unknown>('POST', '/handover/sign', { turn, comment }),
  handovers: () => request<Page<SignedHandover>>('GET', '/handovers'),
  exercises: (running = false) => request<Page<Drill>>('GET', `/exercises${query({ running: running ? 'true' : null })}`),
  exercise: (key: string) => request<DrillReport>('GET', `/exercises/${id(key)}`),
  exerciseScripts: () => request<DrillScripts>('GET', '/exercises/scripts'),
  beginExercise: (script: string) => request<{ id: string }>('POST', '/exercises', { script }),
  endExercise: (key: string) => request<DrillReport>('POST', `/exercises/${id(key)}/end`),

  rules: (find: string, offset: number, limit = 100) =>
    request<{ items: RuleShown[]; total: number }>('GET', `/rules${query({ find, offset, limit })}`),
  openRule: (rule: string) => request<RuleOpened>('GET', `/rules/${id(rule)}/draft`),
  saveDraft: (rule: string, text: string, base: string) =>
    request<{ draft: Draft; others: OtherDraft[] }>('PUT', `/rules/${id(rule)}/draft`, { text, base }),
  dropDraft: (rule: string) => request<unknown>('DELETE', `/rules/${id(rule)}/draft`),
  drafts: async () => (await request<{ items: Draft[] }>('GET', '/rules/drafts')).items,
  checkDraft: (text: string) => request<DraftChecked>('POST', '/rules/check', { text }),
  shadowDraft: (rule: string, text: string, reason: string) => request<unknown>('POST', `/rules/${id(rule)}/shadow`, { text, reason }),
  publishDraft: (rule: string, text: string, base: string, reason: string) =>
    request<DraftPublished>('POST', `/rules/${id(rule)}/publish`, { text, base, reason }),
  ruleHistory: async (rule: string) => (await request<{ items: RuleVersion[] }>('GET', `/rules/${id(rule)}/history`)).items,
  ruleSchema: () => request<Schema>('GET', '/rules/schema'),
  ruleWords: () => request<RuleWords>('GET', '/rules/words'),
  precision: async (since: number) =>
    (await request<{ items: RulePrecision[] }>('GET', `/rules/precision${query({ since })}`)).items,
  shadow: async () => (await request<{ shadow: ShadowStatus | null }>('GET', '/rules/shadow')).shadow,
  shadowStep: (step: 'begin' | 'promote' | 'drop', reason: string, shadow: string) =>
    request<{ waiting?: boolean; unraised?: string[] }>(
      'POST', `/rules/shadow${step === 'begin' ? '' : `/${step}`}`, step === 'begin' ? { reason } : { reason, shadow },
    ),
  proposals: async () => (await request<{ items: Proposal[] }>('GET', '/proposals')).items,
  decide: (number: number, step: 'approve' | 'reject', reason: string) =>
    request<unknown>('POST', `/proposals/${number}/${step}`, { reason }),
  publications: async () => (await request<{ items: Publication[] }>('GET', '/publications')).items,
  publish: (version: string, reason: string) => request<PublishDone>('POST', '/publications', { version, reason }),
  replays: async () => (await request<{ items: Replay[] }>('GET', '/replays')).items,
  replay: (key: string) => request<ReplayFound>('GET', `/replays/${id(key)}`),
  beginReplay: (asked: { text: string; version: string; from: number | null; to: number | null; rule: string; sweep: boolean }) =>
    request<Replay>('POST', '/replays', { ...asked, keep: asked.text !== '' }),
  endReplay: (key: string) => request<unknown>('DELETE', `/replays/${id(key)}`),

  modes: (past = false) => request<Modes>('GET', `/modes${query({ past: past ? 'true' : null })}`),
  beginMode: (mode: string, areas: string[], seconds: number, reason: string) =>
    request<unknown>('POST', '/modes', { mode, areas, seconds, reason }),
  endMode: (mode: string, areas: string[], reason: string) => request<unknown>('POST', '/modes/end', { mode, areas, reason }),

  notifications: () => request<Page<NotificationTarget>>('GET', '/notifications'),
  testTarget: (name: string) =>
    request<{ id: string; done: boolean; error: string }>('POST', `/notifications/${id(name)}/test`),
  retryLetters: (name: string, letter?: string) =>
    request<{ count: number }>('POST', `/notifications/${id(name)}/retry`, letter === undefined ? {} : { id: letter }),

  users: async () => {
    const answer = await request<Page<User> | User[]>('GET', '/users');
    return Array.isArray(answer) ? answer : answer.items;
  },
  addUser: (user: NewUser) => request<unknown>('POST', '/users', user),
  changeUser: (name: string, change: Record<string, unknown>) => request<unknown>('PATCH', `/users/${id(name)}`, change),
  aboutUser: (name: string) => request<unknown>('POST', `/users/${id(name)}/export`),
  eraseUser: (name: string) => request<Erased>('POST', `/users/${id(name)}/erase`),
  aboutSubject: (subject: string) => request<unknown>('POST', '/subjects/export', { subject }),
  eraseSubject: (subject: string) => request<Erased>('POST', '/subjects/erase', { subject }),
  removeSecondOf: (name: string) => request<unknown>('DELETE', `/users/${id(name)}/second-step`),

  tokens: async () => (await request<{ items: Token[] }>('GET', '/tokens')).items,
  addToken: (token: { name: string; roles: Role[]; days: number; unit: string | null; places: string[] }) => request<Token & { secret: string }>('POST', '/tokens', token),
  revokeToken: (key: string) => request<unknown>('DELETE', `/tokens/${id(key)}`),
  sessions: async () => (await request<{ items: OpenSession[] }>('GET', '/sessions')).items,
  endSession: (key: string) => request<unknown>('DELETE', `/sessions/${id(key)}`),
  audit: (asked: { actor?: string; action?: string; target?: string; before?: number | null }) => request<Audit>('GET', `/audit${query({ ...asked, limit: 50 })}`),

  askSecond: (password: string) => request<{ secret: string; address: string; picture: string }>('POST', '/me/second-step', { password }),
  confirmSecond: (code: string) => request<unknown>('PUT', '/me/second-step', { code }),
  removeSecond: (password: string) => request<unknown>('POST', '/me/second-step/remove', { password }),

  checks: () => request<SystemChecks>('GET', '/system/checks'),
  beginChecks: () => request<SystemChecks>('POST', '/system/checks'),
  backups: () => request<Backups>('GET', '/system/backups'),
  beginBackup: () => request<Backups>('POST', '/system/backups'),

  situation: (place: string, period: ReportPeriod, day: string) => request<SituationReport>('GET', `/situation${query({ place, period, day })}`),
};

export type DispatchStep = 'accept' | 'refuse' | 'on-scene' | 'resolve' | 'feed-back' | 'follow-up' | 'close' | 'refer' | 'call';
