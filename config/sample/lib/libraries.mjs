// The headers that common clients add on their own when nobody configures any, in their order. Those of curl, Wget, Python,
// Go and Node were read off the wire; the others are told by their documentation and source.
const HOST = ["Host", "www.example.com"];
const NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/** By name: a list of headers for a user agent. */
export const LIBRARIES = {
  curl: (ua) => [HOST, ["User-Agent", ua], ["Accept", "*/*"]],
  wget: (ua) => [HOST, ["User-Agent", ua], ["Accept", "*/*"], ["Accept-Encoding", "identity"], ["Connection", "Keep-Alive"]],
  requests: (ua) => [HOST, ["User-Agent", ua], ["Accept-Encoding", "gzip, deflate"], ["Accept", "*/*"], ["Connection", "keep-alive"]],
  go: (ua) => [HOST, ["User-Agent", ua], ["Accept-Encoding", "gzip"]],
  okhttp: (ua) => [HOST, ["Connection", "Keep-Alive"], ["Accept-Encoding", "gzip"], ["User-Agent", ua]],
  scrapy: (ua) => [HOST, ["Accept", NAVIGATION], ["Accept-Language", "en"], ["User-Agent", ua], ["Accept-Encoding", "gzip, deflate"]],
  axios: (ua) => [["Accept", "application/json, text/plain, */*"], ["User-Agent", ua], ["Accept-Encoding", "gzip, compress, deflate, br"], HOST, ["Connection", "keep-alive"]],
  "node-fetch": (ua) => [["host", HOST[1]], ["connection", "keep-alive"], ["user-agent", ua], ["accept", "*/*"], ["accept-language", "*"], ["sec-fetch-mode", "cors"], ["accept-encoding", "gzip, deflate"]],
  "node-http": (ua) => [["User-Agent", ua], HOST, ["Connection", "keep-alive"]],
  urllib: (ua) => [["Accept-Encoding", "identity"], HOST, ["User-Agent", ua], ["Connection", "close"]],
  aiohttp: (ua) => [HOST, ["User-Agent", ua], ["Accept", "*/*"], ["Accept-Encoding", "gzip, deflate"]],
  httpx: (ua) => [HOST, ["Accept", "*/*"], ["Accept-Encoding", "gzip, deflate"], ["Connection", "keep-alive"], ["User-Agent", ua]],
  "apache-httpclient": (ua) => [HOST, ["Connection", "Keep-Alive"], ["User-Agent", ua], ["Accept-Encoding", "gzip,deflate"]],
  "libwww-perl": (ua) => [["TE", "deflate,gzip;q=0.3"], ["Connection", "TE, close"], HOST, ["User-Agent", ua]],
  "ruby-net-http": (ua) => [["Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"], ["Accept", "*/*"], ["User-Agent", ua], HOST, ["Connection", "close"]],
  reqwest: (ua) => [["user-agent", ua], ["accept", "*/*"], ["host", HOST[1]]],
  "java-httpclient": (ua) => [["Connection", "Upgrade, HTTP2-Settings"], HOST, ["HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"], ["Upgrade", "h2c"], ["User-Agent", ua]],
};

/** Those that crawlers are given. */
export const OF_CRAWLERS = ["curl", "requests", "go", "okhttp", "scrapy"];
/** Those that training sees with a browser's user agent. The model never sees the others. */
export const IMITATORS_IN_TRAINING = ["curl", "wget", "requests", "go", "okhttp", "scrapy", "axios", "node-fetch"];
