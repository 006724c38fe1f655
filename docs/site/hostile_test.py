"""A contract whose comments mean no good, or are very long."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

from docs.site.conftest import ROOT
from docs.site.rendering import render
from docs.site.site_test import Elements
from docs.site.system import put_together

from codegen.documentation.reading import read_contracts

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
LONG = "w" * 5_000

CONTRACT = f"""
syntax = "proto3";
package evil.v1;
import "contract/v1/options.proto";
// {EVIL}
service EvilApi {{
  // {EVIL} {LONG}
  rpc Get(Ask) returns (Ask) {{
    option (contract.v1.method) = {{access: {{public: true}} errors: ["No"]}};
  }}
}}
// {EVIL}
message Ask {{
  // {EVIL} such as `<script>`
  string a = 1 [(contract.v1.rules).pattern = "[<>]*"];
  Level level = 2;
  Ask ask = 3;
  map<string, Ask> asks = 4;
  oneof one {{ string b = 5; int64 c = 6; }}
}}
// {EVIL}
message No {{
  // {EVIL}
  option (contract.v1.error) = {{code: NOT_FOUND text: "{EVIL}"}};
}}
// {EVIL}
enum Level {{
  // {EVIL}
  LEVEL_UNSPECIFIED = 0;
}}
"""


def site_of_evil(folder: Path) -> dict[str, str]:
    for name in ("evil/v1/api.proto", "contract/v1/options.proto"):
        (folder / name).parent.mkdir(parents=True)
    (folder / "evil/v1/api.proto").write_text(CONTRACT)
    (folder / "contract/v1/options.proto").write_bytes(
        (ROOT / "protos/contract/v1/options.proto").read_bytes()
    )
    return render(put_together((), read_contracts(folder)), ())


def test_what_comments_say_is_shown_and_never_run(tmp_path: Path) -> None:
    site = site_of_evil(tmp_path)
    page = site["services/evil.html"]
    found = Elements(page)
    assert found.scripts_within == 0
    assert len(found.loaded) == 4
    assert "<img" not in page
    assert html.escape(EVIL, quote=False) in page
    assert LONG in page
    for path in ("index.html", "errors.html", "access.html"):
        assert "alert(1)</script>" not in site[path]


def test_the_index_holds_no_markup(tmp_path: Path) -> None:
    script = site_of_evil(tmp_path)["search-index.js"]
    assert "<" not in script
    rows = json.loads(script[script.index("[") : script.rindex(";")])
    assert any(EVIL in words for *_, words in rows)
