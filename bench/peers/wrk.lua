-- Requests in turn to the hosts of some users; at the end one line of JSON with what wrk counted.
local users = tonumber(os.getenv("BENCH_USERS"))
local path = os.getenv("BENCH_PATH")
local requests, turn = {}, 0

function init()
  for i = 0, users - 1 do
    requests[i] = wrk.format("GET", path, { Host = string.format("u%02d.test", i) })
  end
end

function request()
  turn = (turn + 1) % users
  return requests[turn]
end

function done(summary, latency)
  local e = summary.errors
  io.stderr:write(string.format(
    '{"requests":%d,"us":%d,"p50Us":%d,"p90Us":%d,"p99Us":%d,"maxUs":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max,
    e.connect, e.read, e.write, e.status, e.timeout))
end
