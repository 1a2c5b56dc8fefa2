"""Lines of magics: what is read, what is refused in which words; a terminal's commands have the same options."""

import pytest
import typer.main

from kfambassador.cli.app import build_app
from kfambassador.errors import ConfigurationError
from kfambassador.notebook.magics.grammar import EXPLAIN, EXPOSE, MAGICS, MAPPING, PREDICT, ROUTES
from kfambassador.notebook.magics.lines import Magic
from kfambassador.sdk.shell_words import ServerKind

#: What has no meaning where a result is a value.
OF_TERMINALS = {"--format", "--help"}


@pytest.mark.parametrize(
    ("magic", "command"), [(EXPOSE, "expose"), (EXPLAIN, "explain"), (PREDICT, "predict"), (ROUTES, "routes")]
)
def test_a_magic_has_every_option_of_the_command_and_explains_it_alike(magic: Magic, command: str) -> None:
    group = typer.main.get_command(build_app())
    parameters = group.commands[command].params  # type: ignore[attr-defined]  # it is a group
    options = [each for each in parameters if each.param_type_name == "option"]
    for option in options:
        names = {*option.opts, *option.secondary_opts} - OF_TERMINALS
        for name in names:
            found = magic.find(name)
            assert found is not None, f"%{command} has no {name}"
            assert option.help in found.meaning
            assert set(found.spellings) == names
    arguments = [each for each in parameters if each.param_type_name == "argument" and each.required]
    assert [each.metavar for each in arguments] == [each.name for each in magic.arguments if not each.is_rest]


def test_mapping_has_the_options_of_lint() -> None:
    parameters = typer.main.get_command(build_app()).commands["lint"].params  # type: ignore[attr-defined]  # it is a group
    options = {name: each.help for each in parameters for name in each.opts if name.startswith("--")}
    for name in ("--policy", "--gateway-namespace"):
        found = MAPPING.find(name)
        assert found is not None
        assert found.meaning == options[name]


@pytest.mark.parametrize(
    ("magic", "line", "said"),
    [
        (EXPOSE, "m 8501", {"name": "m", "service": "8501"}),
        (EXPOSE, "m --server kserve-v1 8501", {"name": "m", "service": "8501", "server": ServerKind.KSERVE_V1}),
        (EXPOSE, "m 1 -s a=1 -sb=2 --set=c=3", {"name": "m", "service": "1", "set": ["a=1", "b=2", "c=3"]}),
        (EXPOSE, "m 1 --no-wait --wait", {"name": "m", "service": "1", "wait": True}),
        (EXPOSE, "m 1 --no-wait --timeout 2.5", {"name": "m", "service": "1", "wait": False, "timeout": 2.5}),
        (EXPOSE, "-- -m 1", {"name": "-m", "service": "1"}),
        (EXPLAIN, "GET /a -H 'x: a b'", {"method": "GET", "url": "/a", "header": ["x: a b"]}),
        (EXPLAIN, "GET '/a b?c=\"d\"'", {"method": "GET", "url": '/a b?c="d"'}),
        (ROUTES, "", {"filter": ""}),
        (ROUTES, "-half path:'/a b' errors>1 --list", {"filter": '-half path:"/a b" errors>1', "list": True}),
        (MAPPING, "--apply -n team", {"apply": True, "namespace": "team"}),
    ],
)
def test_what_is_read(magic: Magic, line: str, said: dict[str, object]) -> None:
    assert magic.read(line) == said


@pytest.mark.parametrize(
    ("magic", "line", "words"),
    [
        (EXPOSE, "m 1 --namspace t", "%expose has no option --namspace; did you mean --namespace?"),
        (EXPOSE, "m 1 --zzz", "%expose has no option --zzz; %expose --help lists them"),
        (EXPOSE, "m 1 -x", "%expose has no option -x; %expose --help lists them"),
        (EXPOSE, "m 1 --format json", "%expose has no option --format: a magic gives its result back as a value"),
        (EXPOSE, "m", "SERVICE is missing: write %expose NAME SERVICE [OPTIONS]. Where it is: a port"),
        (EXPOSE, "m 1 2", "'2' is one word too many: write %expose NAME SERVICE [OPTIONS], and quote what has spaces"),
        (EXPOSE, "m 'x", 'a quotation mark or a backslash in "m \'x" has no end'),
        (EXPOSE, "m 1 --wait=no", "%expose: --wait takes no value, and got 'no'"),
        (EXPOSE, "m 1 --ttl", "%expose: after --ttl comes SPAN: For how long it is served"),
        (EXPOSE, "m 1 --server kserve", "--server is one of tfserving, kserve-v1"),
        (EXPOSE, "m 1 --server torchserv", "not 'torchserv'; did you mean torchserve?"),
        (EXPOSE, "m 1 --timeout soon", "--timeout is a number of seconds, such as 30, not 'soon'"),
        (EXPOSE, "m 1 --timeout nan", "--timeout is a number of seconds"),
        (ROUTES, "--height 0", "--height is a number of pixels, such as 600, not '0'"),
        (ROUTES, "--lst", "%routes has no option --lst; did you mean --list?"),
        (MAPPING, "--aply", "%%mapping has no option --aply; did you mean --apply?"),
        (PREDICT, "", "NAME is missing: write %%predict NAME [OPTIONS]"),
    ],
)
def test_what_is_refused_is_told_with_what_is_meant(magic: Magic, line: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        magic.read(line)
    assert words in str(error.value)


@pytest.mark.parametrize("magic", MAGICS.values(), ids=lambda magic: magic.name)
def test_help_names_every_option_and_its_examples_can_be_read(magic: Magic) -> None:
    assert magic.read("whatever --nonsense --help") is None if magic is EXPOSE else magic.read("--help") is None
    told = magic.write_help()
    assert told.startswith(magic.usage)
    assert all(name in told for name in magic.spellings)
    assert max(map(len, told.splitlines())) <= 100
    for example in magic.examples:
        first = example.partition("\n")[0]
        assert example.replace("\n", "\n  ") in told
        magic.read(first[first.index(magic.sign) + len(magic.sign) :])
