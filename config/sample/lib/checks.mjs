// Clients that a filter must get right whatever the figures say. Their user agents are of well-known form and come from
// no package, so they are no part of the figures either.
import { readFileSync } from "node:fs";
import { LIBRARIES } from "./libraries.mjs";
import { browserRequest, imitatorRequest, VIEW_NAMES } from "./requests.mjs";

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

const BOTS = {
  Googlebot: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  GPTBot: "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
};

const BROWSERS = {
  "Chrome on Windows": CHROME,
  "Firefox on Linux": FIREFOX,
  "Safari on iPhone": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  "a Cubot phone": "Mozilla/5.0 (Linux; Android 12; CUBOT P60) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
  "Facebook's in-app browser": "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/468.1.0.56.78;]",
  "Instagram on iPhone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 Instagram 335.1.8.26.85 (iPhone12,1; iOS 17_5_1; en_US; en; scale=2.00; 828x1792; 611354463)",
  "Google's app": "Mozilla/5.0 (Linux; Android 14; Pixel 7 Build/AP2A.240705.004; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.122 Mobile Safari/537.36 GoogleApp/15.26.36.29.arm64",
  "Edge in Internet Explorer mode": "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
  "Opera Mini": "Opera/9.80 (Android; Opera Mini/36.2.2254/191.249; U; en) Presto/2.12.423 Version/12.16",
  "a television": "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
  "Edge on Windows": `${CHROME} Edg/140.0.0.0`,
  "Safari on macOS": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
};

/**
 * A library with a browser's user agent, over TLS and without. Scrapy's headers are those that a browser could send: only
 * the client hints that a Chromium would send over TLS are missing.
 */
function imitations(library) {
  const [chrome, firefox] = [CHROME, FIREFOX].map((ua) => imitatorRequest(library, ua, "check"));
  const { tls, ...plaintext } = chrome;
  return library === "scrapy" ? [chrome] : [chrome, firefox, plaintext];
}

/** Requests whose label is the side on which they must fall: above 70 or below 30. */
export function checks() {
  const clients = JSON.parse(readFileSync(new URL("../clients.json", import.meta.url), "utf8"));
  const of = (label, source, request) => ({ ...request, label, source });
  return [
    ...clients.map(({ name, label, path, headers }) => of(label, `clients/${name}`, { method: "GET", path, version: "1.1", headers })),
    ...Object.entries(BOTS).map(([name, ua]) => of("bot", `crawlers/${name}`, { method: "GET", path: "/", version: "1.1", headers: LIBRARIES.go(ua) })),
    ...Object.keys(LIBRARIES).flatMap((library) => imitations(library).map((request) => of("bot", `imitators/${library}`, request))),
    ...Object.entries(BROWSERS).flatMap(([name, ua]) => VIEW_NAMES.map((view) => of("human", `browsers/${name}, ${view}`, browserRequest({ ua }, view, "check")))),
  ];
}
