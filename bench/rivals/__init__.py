"""The same request to the same simulated provider, by other means: a bare loop, and two queues on PostgreSQL."""
