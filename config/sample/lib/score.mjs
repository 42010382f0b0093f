// The reference scorer: which rows fire on a request, and the score they give. Same definition as the engine's, in the
// plainest form, so that the two can be compared.

export const BOT_AT_MOST = 29;
export const HUMAN_AT_LEAST = 70;

const lower = (text) => text.toLowerCase();

/** What rows may look at: user agent and header values in lower case. */
export function view(request) {
  const headers = request.headers.map(([name, value]) => [lower(name), lower(value)]);
  return { ua: headers.find(([name]) => name === "user-agent")?.[1] ?? "", headers };
}

/** Whether a row fires. A client's rate is not part of a single request: those rows fire only with `rate` given. */
export function fires({ kind, arg }, { ua, headers }, rate = 0) {
  const colon = arg.indexOf(":");
  const named = (name) => headers.filter(([header]) => header === name).map(([, value]) => value);
  switch (kind) {
    case "ua-contains":
      return ua.includes(arg);
    case "ua-empty":
      return ua === "";
    case "header-present":
      return named(arg).length > 0;
    case "header-absent":
      return named(arg).length === 0;
    case "header-equals":
      return named(arg.slice(0, colon)).some((value) => value === arg.slice(colon + 1));
    case "header-contains":
      return named(arg.slice(0, colon)).some((value) => value.includes(arg.slice(colon + 1)));
    case "request-rate":
      return rate > Number(arg);
    default:
      throw new Error(`no such kind here: ${kind}`);
  }
}

/** 1 surely a bot … 99 surely a human. */
export function scoreOf(logitMilli) {
  return 1 + Math.round(98 / (1 + Math.exp(logitMilli / 1000)));
}

export function score(model, request, rate = 0) {
  const seen = view(request);
  const fired = model.rows.filter((row) => fires(row, seen, rate));
  const logit = fired.reduce((sum, row) => sum + row.weight, model.intercept);
  return { score: scoreOf(logit), logit, reasons: fired.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).map((row) => row.key) };
}

/** Counts over labelled requests: a score of at most 29 calls the request a bot. */
export function evaluate(model, labelled) {
  const counts = { bots: 0, caught: 0, humans: 0, accused: 0, humansSure: 0, missed: new Set(), wronged: new Set(), botAgents: new Set(), humanAgents: new Set() };
  for (const request of labelled) {
    const ua = request.headers.find(([name]) => lower(name) === "user-agent")?.[1] ?? "";
    const value = score(model, request).score;
    if (request.label === "bot") {
      counts.bots += 1;
      counts.botAgents.add(ua);
      if (value <= BOT_AT_MOST) counts.caught += 1;
      else counts.missed.add(ua);
    } else {
      counts.humans += 1;
      counts.humanAgents.add(ua);
      if (value <= BOT_AT_MOST) {
        counts.accused += 1;
        counts.wronged.add(ua);
      }
      if (value >= HUMAN_AT_LEAST) counts.humansSure += 1;
    }
  }
  return counts;
}
