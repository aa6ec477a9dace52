"""Templates of ours, filled in: all pages have one style, and need nothing else."""

from __future__ import annotations

from functools import cache

import jinja2
from markupsafe import Markup, escape

from cnbench.analysis.number_format import minus
from cnbench.core.units import format_count


def filled(template: str, **contents: object) -> str:
    """A page of ours with ``contents``, in the one style of all."""
    return _environment().get_template(template).render(**contents)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cnbench.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = format_count
    environment.filters["breakable"] = _breakable
    environment.filters["minus"] = minus
    # The style sheets are part of the package, so they go in as they are.
    sheets = (_template_text(environment, f"{name}.css") for name in ("report", "answers"))
    environment.globals["style"] = Markup("\n".join(sheets))  # noqa: S704
    return environment


def _breakable(name: str) -> Markup:
    """A name with a place to break the line after every underscore: a heading needs no more."""
    return escape(name).replace("_", Markup("_<wbr/>"))


def _template_text(environment: jinja2.Environment, name: str) -> str:
    loader = environment.loader
    assert loader is not None  # noqa: S101
    return loader.get_source(environment, name)[0]
