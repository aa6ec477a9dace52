"""Kubernetes 1.20.2: all servers, from the source package that bookworm builds kubectl of.

Debian's package compiles kubectl alone, with a Go that is newer than its source. Servers need two
repairs. The list of all types for OpenAPI is generated, and not in the source package: it is made
with the generator that is. And its copy of reflect2 (1.0.1) looks types up in tables that Go 1.18
changed: the servers crashed in two of three starts; Debian's 1.0.2 does without those tables.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cnbench.control_plane.build.workshop import GOCODE, Go, Workshop
from cnbench.core.errors import CnbenchError

SUITE = "bookworm"
VERSION = "1.20.2"
PROGRAMS = (
    "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet",
    "kubectl",
)  # fmt: skip
_GO = "1.19"
_REFLECT2 = "github.com/modern-go/reflect2"
_PACKAGES = (f"golang-{_GO}-go", f"golang-{_GO}-src", "golang-github-modern-go-reflect2-dev",
             "etcd-server")  # fmt: skip
_ITSELF = "k8s.io/kubernetes"
# Marks a package whose types are published; the makefile of Kubernetes leaves the same two out.
_TAG = "+k8s:openapi-gen="
_NOT_PUBLISHED = ("code-generator", "sample-apiserver")
# Where a program looks for its own version (hack/lib/version.sh).
_VERSION_PACKAGES = ("client-go/pkg/version", "component-base/version")


def make(workshop: Workshop, into: Path) -> dict[str, str]:
    """Build all programs, and etcd beside them, into the folder ``into``: versions by package.

    Raises:
        GuestError: something cannot be fetched.
        CnbenchError: something does not compile.
    """
    apt = workshop.open_apt(sources=True)
    versions = workshop.fetch(apt, _PACKAGES)
    go_path = workshop.folder / "go-path"
    source = go_path / "src" / _ITSELF
    versions["kubernetes (source)"] = workshop.fetch_source(apt, "kubernetes", source)
    if f"really{VERSION}-" not in versions["kubernetes (source)"]:
        raise CnbenchError(f"Debian {SUITE} has {versions['kubernetes (source)']}, not {VERSION}")
    go = workshop.go(_GO, go_path)
    _exchange_reflect2(workshop, source)
    _generate_openapi(go, source)
    go.build(into, [f"{_ITSELF}/cmd/{program}" for program in PROGRAMS], _version_flags())
    shutil.copy2(workshop.tree / "usr/bin/etcd", into / "etcd")
    return versions


def _exchange_reflect2(workshop: Workshop, source: Path) -> None:
    theirs = source / "vendor" / _REFLECT2
    shutil.rmtree(theirs)
    shutil.copytree(workshop.tree / GOCODE / "src" / _REFLECT2, theirs)


def _generate_openapi(go: Go, source: Path) -> None:
    """Make what kube-apiserver publishes of all types, with the source's own generator."""
    go.build(go.folder / "generators", [f"{_ITSELF}/vendor/k8s.io/kube-openapi/cmd/openapi-gen"])
    go.say("generating the descriptions of all types")
    go.run(
        "env", f"--chdir={source}", str(go.folder / "generators/openapi-gen"), "--logtostderr",
        "--input-dirs", ",".join(_published(source)),
        "--output-package", f"{_ITSELF}/pkg/generated/openapi",
        "--output-file-base", "zz_generated.openapi",
        "--go-header-file", "vendor/k8s.io/code-generator/hack/boilerplate.go.txt",
        "--report-filename", str(go.folder / "violations"),
    )  # fmt: skip


def _published(source: Path) -> list[str]:
    """The packages whose types are published, as imported from Kubernetes itself."""
    staged = source / "staging/src"
    found = {f"{_ITSELF}/{folder.relative_to(source)}" for folder in _tagged(source / "pkg")}
    found |= {f"{_ITSELF}/vendor/{folder.relative_to(staged)}" for folder in _tagged(staged)}
    return sorted(name for name in found if not any(part in name for part in _NOT_PUBLISHED))


def _tagged(root: Path) -> set[Path]:
    return {path.parent for path in root.rglob("*.go") if _TAG in path.read_text()}


def _version_flags() -> str:
    major, minor, _ = VERSION.split(".")
    values = {"gitVersion": f"v{VERSION}", "gitMajor": major, "gitMinor": minor}
    return " ".join(
        f"-X {_ITSELF}/vendor/k8s.io/{package}.{name}={value}"
        for package in _VERSION_PACKAGES
        for name, value in values.items()
    )
