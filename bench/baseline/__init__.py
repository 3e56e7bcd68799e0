"""What a good engineer writes first: FastAPI, pydantic, SQLAlchemy's ORM, a transaction a request."""
