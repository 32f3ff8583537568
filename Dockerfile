# CSSAFE as a container: docs/hosting.md has the commands.
FROM python:3.11-slim

# OpenCV, OpenVINO, PyAV and DuckDB come as complete wheels: no Debian package is needed.
WORKDIR /app
COPY requirements-lock.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements-lock.txt

COPY app.py pyproject.toml ./
COPY .streamlit/config.toml .streamlit/config.toml
COPY cssafe cssafe
COPY pages pages
COPY models models
COPY docs/concentration.md docs/concentration.md

# Two memory arenas: a web server's many short threads would otherwise keep freed memory.
ENV CSSAFE_MODE=hosted CSSAFE_DATA=/data MALLOC_ARENA_MAX=2
RUN useradd --create-home cssafe && mkdir /data && chown cssafe /data
USER cssafe
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
  ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/healthz', timeout=4)"]
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.headless=true"]
