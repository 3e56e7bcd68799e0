-- What a run came to, as one line of JSON.
local LINE = '{"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"refused":%d,"broken":%d}\n'

function done(summary, latency, requests)
   local wrong = summary.errors
   io.write(LINE:format(
      summary.requests, summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      wrong.status, wrong.connect + wrong.read + wrong.write + wrong.timeout
   ))
end
