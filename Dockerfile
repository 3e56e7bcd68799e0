FROM python:3.11-slim

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements.txt

COPY pyproject.toml README.md LICENSE ./
COPY parley parley
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

# The folder of the embedded database, for who runs this image alone without DATABASE_URL.
RUN useradd --system --create-home --home-dir /var/lib/parley parley
USER parley
WORKDIR /var/lib/parley
ENV HOST=0.0.0.0 PORT=8080 DATA_DIR=/var/lib/parley/data PYTHONUNBUFFERED=1
VOLUME /var/lib/parley
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
CMD ["parley", "up"]
