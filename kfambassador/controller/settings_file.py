"""A file of settings, by the names the settings have."""

from collections.abc import Collection
from pathlib import Path

from kfambassador.errors import ConfigurationError
from kfambassador.problems import suggest
from kfambassador.resources.documents import Value, read_documents


def read_settings_file(file: Path, known: Collection[str]) -> dict[str, Value]:
    """Read a file of settings.

    Args:
        file: The file, in YAML.
        known: The names it may hold.

    Raises:
        ConfigurationError: It cannot be read, or holds something else.
    """
    try:
        documents = read_documents(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise ConfigurationError(f"The settings in {file} cannot be read: {reason}.") from error
    if len(documents) > 1:
        raise ConfigurationError(f"{file} holds {len(documents)} documents; settings are one.")
    document = documents[0] if documents else None
    if document is not None and document.fault is not None:
        raise ConfigurationError(f"The settings in {file} cannot be read: {document.fault.message}.")
    value = document.value if document is not None else {}
    if not isinstance(value, dict):
        raise ConfigurationError(f"{file} holds no settings: write one a line, as in log_level: info.")
    unknown = [f"{file}: there is no setting {name}{suggest(str(name), known)}" for name in value if name not in known]
    if unknown:
        raise ConfigurationError("\n".join(unknown))
    return {name: each for name, each in value.items() if each is not None}
