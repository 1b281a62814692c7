#!/usr/bin/env python3
"""The readers that are Python packages, over the golden reports and the Buildkite plugin. A line for each."""

import importlib.metadata
import json
import pathlib
import subprocess
import sys
import tempfile

import dotenv
import jsonschema
import junitparser
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden"


def said(package: str, what: str) -> None:
    print(f"{package} {importlib.metadata.version(package)}: {what}")


def junit() -> None:
    """Counts and results are those of the JSON report."""
    cases = 0
    for path in sorted(GOLDEN.glob("*.xml")):
        report = json.loads(path.with_suffix(".json").read_text())
        suites = junitparser.JUnitXml.fromfile(str(path))
        read = [case for suite in suites for case in suite]
        results = [type(result).__name__ for case in read for result in case.result]
        counts = {"tests": len(read), "failures": results.count("Failure"), "errors": results.count("Error")}
        for attribute, count in counts.items():
            assert sum(getattr(suite, attribute) for suite in suites) == count, f"{path}: {attribute}"
        assert (report["verdict"] == "passed") == (not set(results) - {"Skipped"}), path
        assert len(read) == max(len(report["runs"]), 1), path
        cases += len(read)
    assert cases > 10
    said("junitparser", f"{cases} cases")


def html() -> None:
    pages = 0
    for path in sorted(GOLDEN.glob("*.xml")):
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "page.html")
            subprocess.run([sys.executable, "-m", "junit2htmlreport", str(path), str(page)], check=True, capture_output=True)
            text = page.read_text(encoding="utf-8")
        assert "maestro-gate" in text and "<img src=x>" not in text, path
        pages += 1
    said("junit2html", f"{pages} pages")


def variables() -> None:
    count = 0
    for path in sorted(GOLDEN.glob("*.env")):
        due = dict(line.split("=", 1) for line in path.read_text().splitlines())
        assert dotenv.dotenv_values(path, interpolate=True) == due, path
        count += len(due)
    said("python-dotenv", f"{count} variables")


def plugin() -> None:
    """What Buildkite's plugin linter requires of plugin.yml, and a configuration by the schema in it."""
    written = yaml.safe_load((ROOT / "packages/maestro-gate-buildkite-plugin/plugin.yml").read_text())
    for key, kind in {"name": str, "description": str, "author": str, "requirements": list, "configuration": dict}.items():
        assert isinstance(written[key], kind), key
    schema = written["configuration"]
    jsonschema.Draft7Validator.check_schema(schema)
    valid = jsonschema.Draft7Validator(schema).is_valid
    assert valid({"run-id": "latest", "timeout": 0, "history": False, "max-age": "24h"})
    assert not valid({"runid": "latest"}) and not valid({"run-id": ["a", "b"]})
    said("jsonschema", f"the Buildkite plugin's {len(schema['properties'])} settings")


def metadata() -> None:
    """The keys that Woodpecker's and Bitbucket's documentation name. Neither publishes a schema."""
    page = (ROOT / "packages/woodpecker/docs.md").read_text()
    header = yaml.safe_load(page.split("---\n")[1])
    assert set(header) == {"name", "description", "author", "tags", "containerImage", "containerImageUrl", "url"}, header
    pipe = yaml.safe_load((ROOT / "packages/bitbucket/pipe.yml").read_text())
    documented = {"name", "image", "category", "description", "repository", "vendor", "maintainer", "tags", "icon", "variables"}
    assert {"name", "image", "description"} <= set(pipe) <= documented, pipe.keys()
    assert all(set(given) == {"name", "description", "required"} for given in pipe["variables"])
    said("pyyaml", "the metadata for Woodpecker and Bitbucket")


junit()
html()
variables()
plugin()
metadata()
