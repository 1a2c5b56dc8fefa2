"""The front end's modules as one: in which order, under which names, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kfambassador.errors import ConfigurationError
from kfambassador.notebook import joining

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write modules into a folder that is read instead of the front end's: ``write(a="text of a.js")``."""
    folder = tmp_path / "front_end"
    folder.mkdir()
    monkeypatch.setattr(joining, "files", lambda _package: tmp_path)

    def write_modules(**modules: str) -> None:
        for name, text in modules.items():
            (folder / f"{name}.js").write_text(text, encoding="utf-8")

    return write_modules


def test_each_module_comes_once_and_after_what_it_needs(write: Write) -> None:
    write(
        c="export const c = 1;\n",
        b='import { c } from "./c.js";\n\nexport function b() {\n  return c;\n}\n',
        a='import { b } from "./b.js";\nimport { c } from "./c.js";\n\nexport default { a: b(c) };\n',
    )
    assert joining.join_modules("a.js") == ("const c = 1;\nfunction b() {\nreturn c;\n}\nexport default { a: b(c) };\n")


def test_what_only_readers_need_stays_behind(write: Write) -> None:
    write(a="// What it is for.\n\n/**\n * Why.\n * @returns {number}\n */\nexport const a = 'http://x'; // kept\n")
    assert joining.join_modules("a.js") == "const a = 'http://x'; // kept\n"


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ({"a": 'import { b } from "./b.js";\n', "b": "const b = 1;\n"}, "a.js imports 'b', which b.js does not export"),
        ({"a": 'import { b as c } from "./b.js";\n', "b": "export const b = 1;\n"}, "imports 'b as c'"),
        ({"a": 'import { b } from "./b.js";\nconst b = 2;\n', "b": "export const b = 1;\n"}, "both declare b"),
        ({"a": 'import { b } from "./b.js";\nconst [x, b] = [];\n', "b": "export const b = 1;\n"}, "both declare b"),
        (
            {"a": 'import { b } from "./b.js";\n', "b": 'import { a } from "./a.js";\nexport const b = 1;\n'},
            "a.js needs b.js needs a.js",
        ),
        ({"a": 'import { b } from "./b.js";\n', "b": "export const b = 1;\nexport default b;\n"}, "export default b"),
        ({"a": 'import { b } from "./b.js";\n'}, "There is no b.js"),
        ({"a": 'import * as b from "./b.js";\n'}, "import * as b"),
        ({"a": 'import "./b.js";\n'}, "cannot be joined"),
        ({"a": 'const b = await import("./b.js");\n'}, "cannot be joined"),
        ({"a": "const a = 1;\nexport { a };\n"}, "export { a }"),
        ({"a": 'export * from "./b.js";\n'}, "cannot be joined"),
        ({"a": "const a = `one\n  two`;\n"}, "on several lines"),
    ],
)
def test_what_cannot_be_joined_is_refused(write: Write, modules: dict[str, str], words: str) -> None:
    write(**modules)
    with pytest.raises(ConfigurationError) as refusal:
        joining.join_modules("a.js")
    assert words in str(refusal.value)


def test_the_widgets_modules_keep_the_rules() -> None:
    joined = joining.join_modules("widget.js")
    assert joined.count("export ") == 1
    assert joined.rstrip().endswith("export default { render };")


def test_the_style_sheet_touches_nothing_but_the_browser() -> None:
    for line in joining.join_styles().splitlines():
        selector = line.partition("{")[0].strip()
        if "{" in line and not selector.startswith(("@", "/*")) and selector:
            assert ".kfa-" in selector, line
