# The production image: one for web, worker, schedule and migrations. docker-compose.yml runs it.

FROM python:3.13.9-slim-bookworm AS packages
COPY requirements.txt /
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /requirements.txt

FROM python:3.13.9-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MODE=production \
    DATA_DIR=/tmp/numberdesk \
    STATIC_ROOT=/app/staticfiles
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
COPY providers providers
COPY phone_numbers phone_numbers
COPY dashboard dashboard
COPY templates templates
COPY static static
# Collecting files needs settings but no secrets: these values exist for this one command only.
RUN SECRET_KEY=unused CREDENTIALS_KEYS=unused ALLOWED_HOSTS=unused python manage.py collectstatic --no-input \
    && rm -rf /tmp/numberdesk
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "dashboard.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--limit-request-line", "8190", "--no-control-socket", "--worker-tmp-dir", "/dev/shm", "--graceful-timeout", "20", "--log-level", "warning"]
