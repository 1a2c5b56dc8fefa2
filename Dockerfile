# The gateway's image: the package with everything it needs to serve, pip and compilers left behind.
# Build it from the repository's root: docker build --tag kfambassador .
FROM python:3.11-slim AS build

WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY kfambassador ./kfambassador
RUN python -m venv /opt/kfambassador \
    && /opt/kfambassador/bin/pip install --no-cache-dir --constraint constraints.txt '.[local,pipelines]'

FROM python:3.11-slim

LABEL org.opencontainers.image.title="kfambassador" \
      org.opencontainers.image.description="Ambassador mappings compiled and served to a real Envoy" \
      org.opencontainers.image.licenses="Apache-2.0"

COPY --from=build /opt/kfambassador /opt/kfambassador
ENV PATH=/opt/kfambassador/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# Numeric, so that Kubernetes can tell it is not root.
USER 65532:65532
ENTRYPOINT ["kfambassador"]
CMD ["--help"]
