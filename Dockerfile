# One image for every container of kfambassador: `controller` and `envoy` of a gateway's pod, and steps of pipelines.
# It is made of a base image and what the package index has, and of nothing else. From the repository's root:
#
#   docker build --tag kfambassador:0.1.0 .
#
# --build-arg PYTHON=... names another base image (a mirror's; Python 3.11 or newer, glibc 2.31 or newer),
# --build-arg PIP_INDEX_URL=... another index, --build-arg REVISION=$(git rev-parse HEAD) the commit.
#
# At run time it writes to /run/kfambassador (sockets), /var/lib/kfambassador (what the controller keeps) and /tmp; all
# else may be read-only. Any other user than 65532 will do as well, if these three are theirs.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build

ARG PIP_INDEX_URL
# The newer pip is, the less the first one says of what packages are built with.
ENV PIP_CONSTRAINT=/build/constraints.txt PIP_BUILD_CONSTRAINT=/build/constraints.txt

WORKDIR /build
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY kfambassador ./kfambassador
COPY deploy ./deploy

# Into an environment without pip. What Python compiled is a quarter of its size and stays: on a read-only file system
# it could never be made, and every start and every step would take 4 s longer. It does not depend on times of files,
# which not every builder keeps.
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv --without-pip /opt/kfambassador \
    && python3 -m pip --python /opt/kfambassador/bin/python3 install --no-compile '.[local,pipelines]' \
    && /opt/kfambassador/bin/python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/kfambassador/lib \
    && mkdir /build/empty

FROM ${PYTHON}

ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="kfambassador" \
      org.opencontainers.image.description="Ambassador mappings compiled and served to a real Envoy; steps of pipelines" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/kfambassador/kfambassador" \
      org.opencontainers.image.documentation="https://github.com/kfambassador/kfambassador/tree/main/docs"

# Nothing is installed into a running container.
RUN python3 -m pip uninstall --yes --quiet --root-user-action ignore setuptools wheel pip \
    && rm -rf /usr/local/lib/python3.*/ensurepip

COPY --from=build /opt/kfambassador /opt/kfambassador
COPY --from=build --chown=65532:65532 /build/empty /run/kfambassador
COPY --from=build --chown=65532:65532 /build/empty /var/lib/kfambassador

# The user has no home; what looks for one finds a place it may write to.
ENV PATH=/opt/kfambassador/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# As numbers, so that Kubernetes can tell it is not root.
USER 65532:65532

# One check could not be right for all three uses: a step serves nothing, and the controller and Envoy are asked at
# different ports. In Kubernetes, which ignores this anyway, each container has probes of its own.
HEALTHCHECK NONE

ENTRYPOINT ["kfambassador"]
CMD ["--help"]
