# syntax=docker/dockerfile:1

# Build: a virtual environment with the exact, hashed pins. No compiler is needed, all of them come as wheels.
FROM python:3.12-slim AS build
WORKDIR /console
COPY requirements.txt .
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

# Run: the environment and the sources, as a user of its own that owns nothing but the data directory.
FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /console console && install -d -o console -g console -m 0700 /data
WORKDIR /console
COPY --from=build /console/.venv .venv
COPY api api
COPY assets assets
COPY components components
COPY deploy/gunicorn_conf.py deploy/healthcheck.py deploy/
COPY models models
COPY pages pages
COPY services services
COPY simulator simulator
COPY templates templates
COPY wire wire
COPY app.py collector.py launcher.py manage.py settings.py ./
ENV PATH=/console/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CONSOLE_DATA_DIR=/data CONSOLE_HOST=0.0.0.0
USER console
VOLUME /data
EXPOSE 8050
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "deploy/healthcheck.py"]
CMD ["python", "manage.py", "serve"]
