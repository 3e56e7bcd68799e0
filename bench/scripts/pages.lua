-- Gets addresses in turn, one a line in a file. Argument: the file.
require "report"

local requests, n = {}, 0

function init(args)
   for path in io.lines(args[1]) do
      requests[#requests + 1] = "GET " .. path .. " HTTP/1.1\r\nHost: localhost\r\n\r\n"
   end
end

function request()
   n = n % #requests + 1
   return requests[n]
end
