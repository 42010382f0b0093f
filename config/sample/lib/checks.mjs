// Clients that a filter must get right whatever the figures say. Their user agents are of well-known form and come from
// no package, so they are no part of the figures either.
import { browserRequest, VIEW_NAMES } from "./requests.mjs";
import { BOT_AT_MOST, HUMAN_AT_LEAST, score } from "./score.mjs";

const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

const BOTS = {
  curl: "curl/8.5.0",
  "Python requests": "python-requests/2.32.3",
  "Go net/http": "Go-http-client/1.1",
  Googlebot: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
  GPTBot: "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
  "curl -A with Chrome's user agent": CHROME,
  "no user agent": null,
};

const BROWSERS = {
  "Chrome on Windows": CHROME,
  "Firefox on Linux": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  "Safari on iPhone": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  "a Cubot phone": "Mozilla/5.0 (Linux; Android 12; CUBOT P60) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
  "Facebook's in-app browser": "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/468.1.0.56.78;]",
  "Instagram on iPhone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 Instagram 335.1.8.26.85 (iPhone12,1; iOS 17_5_1; en_US; en; scale=2.00; 828x1792; 611354463)",
  "Google's app": "Mozilla/5.0 (Linux; Android 14; Pixel 7 Build/AP2A.240705.004; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.122 Mobile Safari/537.36 GoogleApp/15.26.36.29.arm64",
  "Edge in Internet Explorer mode": "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
  "Opera Mini": "Opera/9.80 (Android; Opera Mini/36.2.2254/191.249; U; en) Presto/2.12.423 Version/12.16",
  "a television": "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
};

/** Throws a list of every client that the model gets wrong. */
export function check(model, chrome) {
  const wrong = [];
  const want = (name, right, got) => right || wrong.push(`${name}: score ${got.score} (${got.reasons.slice(0, 5).join(", ")})`);
  for (const [name, ua] of Object.entries(BOTS)) {
    const headers = [["Host", "www.example.com"], ...(ua === null ? [] : [["User-Agent", ua]]), ["Accept", "*/*"]];
    const got = score(model, { headers });
    want(name, got.score <= BOT_AT_MOST, got);
  }
  for (const [name, ua] of Object.entries(BROWSERS)) {
    for (const view of VIEW_NAMES) {
      const got = score(model, browserRequest({ ua }, view, "check"));
      want(`${name}, ${view}`, got.score >= HUMAN_AT_LEAST, got);
    }
  }
  for (const rate of [0, 10_000]) {
    const got = score(model, { headers: chrome }, rate);
    want(`browser.json at ${rate} requests a second`, got.score >= HUMAN_AT_LEAST, got);
  }
  if (wrong.length > 0) throw new Error(`clients that must be told apart are not:\n  ${wrong.join("\n  ")}`);
}
