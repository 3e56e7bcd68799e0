"""How the embedded PostgreSQL is set: nothing acknowledged may be lost, and a small box must keep up."""

from collections.abc import Mapping

SETTINGS: Mapping[str, str] = {
    # What was answered is on disk. These are the defaults; they stand here because the service's promise hangs on them.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # The working set (queue, recent conversations, indexes) fits; the rest is the page cache's, which two cores share.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    # Room for many batches in flight, so that backends do not write each other's log.
    "wal_buffers": "16MB",
    # Every page is logged whole at its first change after a checkpoint. Fewer checkpoints mean far less log; the
    # price is a longer recovery, bounded by the 4 GB that are replayed at worst.
    "checkpoint_timeout": "15min",
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    # The wheel carries neither lz4 nor zstd. pglz writes a third of the log but takes up to a seventh of the commits,
    # and where two cores do everything the processor is what is short.
    "wal_compression": "off",
    # All statements are short and prepared: compiling one takes longer than running it.
    "jit": "off",
    # The queue's rows live for seconds. A short nap keeps its dead ones few, and the cost limit lets a round end.
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_cost_limit": "2000",
    # Disks without a head: an index range is not dearer than a scan.
    "random_page_cost": "1.1",
    # Several serve and work processes with a pool each, plus listeners, plus a person with psql.
    "max_connections": "200",
    # Some orchestrators show huge pages that a container may not touch; at 256 MB they would gain nothing.
    "huge_pages": "off",
    # No network at all: one socket in the cluster's own folder, which only its owner may enter.
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    # A week of logs at most, and no statement or value in them: those are people's messages.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_line_prefix": "%m [%p] %a ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def switches(name: str, options: Mapping[str, str]) -> list[str]:
    """Write the settings as command line switches: they win over files, so the running code alone decides."""
    chosen = {**SETTINGS, **options, "cluster_name": name}
    return [part for key, value in chosen.items() for part in ("-c", f"{key}={value}")]
