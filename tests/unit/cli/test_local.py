"""The gateway on this machine, from the command line: what is wrong is said before anything is started."""

from pathlib import Path

import pytest

from kfambassador.__main__ import main


@pytest.mark.parametrize("command", [[], ["start"]], ids=["foreground", "shared"])
def test_a_broken_kubeconfig_is_refused_before_anything_is_started(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "config"
    broken.write_text("kind: [Config\n")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["kfambassador", "local", *command, "--kubeconfig", str(broken)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code
    assert "is no kubeconfig" in "".join(said.err.split("\n")).replace("  ", " ")
    assert "Starting" not in said.err + said.out
    assert broken.read_text() == "kind: [Config\n"
