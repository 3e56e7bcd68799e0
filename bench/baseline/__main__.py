"""One uvicorn process. `python -m bench.baseline --fd 7` with BASELINE_URL in the environment."""

import argparse
import socket

import uvicorn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--fd", type=int, required=True, help="an inherited listening socket")
given = parser.parse_args()
config = uvicorn.Config("bench.baseline.app:app", access_log=False, log_level="warning", backlog=2048)
# Not by uvicorn's own `fd`, which takes every socket for a local one and leaves Nagle's algorithm on.
uvicorn.Server(config).run(sockets=[socket.socket(fileno=given.fd)])
