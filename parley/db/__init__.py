"""PostgreSQL: the pool, the named statements, the migrations and the bell."""
