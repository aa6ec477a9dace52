import lzma
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cnbench.lab.guest.build.modules import (
    keep_only,
    load_order,
    name_of,
    read_dependencies,
    unpack_all,
)
from cnbench.lab.guest.build.toolbox import Toolbox

LISTING = """\
kernel/virtio/virtio.ko:
kernel/virtio/virtio_ring.ko: kernel/virtio/virtio.ko
kernel/virtio/virtio_pci.ko: kernel/virtio/virtio_ring.ko kernel/virtio/virtio.ko
kernel/block/virtio_blk.ko: kernel/virtio/virtio_ring.ko kernel/virtio/virtio.ko
kernel/net/netfilter/xt_LOG.ko.xz:
"""


def names(paths: list[str]) -> list[str]:
    return [name_of(path) for path in paths]


def test_modules_load_after_what_they_need() -> None:
    order = load_order(("virtio_blk", "virtio_pci"), read_dependencies(LISTING))
    assert names(order) == ["virtio", "virtio_ring", "virtio_blk", "virtio_pci"]


def test_what_is_built_in_is_left_out_and_dashes_are_underscores() -> None:
    assert names(load_order(("ext4", "virtio-ring"), read_dependencies(LISTING))) == [
        "virtio",
        "virtio_ring",
    ]


def test_names_have_no_folder_and_no_ending() -> None:
    assert name_of("kernel/net/ipv4/tcp-bbr.ko.zst") == "tcp_bbr"


@given(st.data())
def test_any_order_has_each_module_once_and_after_its_needs(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    paths = [f"kernel/m{number}.ko" for number in range(count)]
    dependencies = {
        path: tuple(data.draw(st.sets(st.sampled_from(paths[:number]))) if number else ())
        for number, path in enumerate(paths)
    }
    wanted = data.draw(st.lists(st.sampled_from([name_of(path) for path in paths])))
    order = load_order(wanted, dependencies)
    assert len(order) == len(set(order))
    assert set(wanted) <= set(names(order))
    for position, path in enumerate(order):
        assert set(dependencies[path]) <= set(order[:position])


def test_compressed_modules_are_replaced_by_plain_ones(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/veth.ko.xz").write_bytes(lzma.compress(b"code"))
    unpack_all(tmp_path, Toolbox(tmp_path / "no tools"))
    assert [path.name for path in (tmp_path / "kernel").iterdir()] == ["veth.ko"]
    assert (tmp_path / "kernel/veth.ko").read_bytes() == b"code"


def test_only_what_boots_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "lib/modules/6.1"
    for path in read_dependencies(LISTING):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    (folder / "modules.dep").write_text(LISTING)
    (folder / "modules.alias").touch()
    keep_only(["virtio_pci"], tmp_path, "6.1")
    kept = {path.name for path in folder.rglob("*") if path.is_file()}
    assert kept == {"modules.dep", "virtio.ko", "virtio_ring.ko", "virtio_pci.ko"}
