"""Fills the service, through its own HTTP API, with weeks of believable conversations."""

from parley.demo.fill import fill as fill
