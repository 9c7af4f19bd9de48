"""Free memory, read from trees of files as Linux shows them."""

import pytest

from skrational.utils.memory import available_memory

GIB = 2**30
UNLIMITED_V1 = "9223372036854771712\n"


def tree(root, groups, files, free=8 * GIB):
    """Write what the kernel shows: /proc and the files of control groups."""
    contents = {
        "proc/meminfo": f"MemTotal: 1 kB\nMemAvailable:   {free // 1024} kB\n",
        "proc/self/cgroup": groups,
        **{f"sys/fs/cgroup/{name}": text for name, text in files.items()},
    }
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return available_memory(root)


def v2(folder, most, used, cached=None):
    files = {f"{folder}memory.max": most, f"{folder}memory.current": f"{used}\n"}
    if cached is not None:
        files[f"{folder}memory.stat"] = f"anon 5\ninactive_file {cached}\n"
    return files


def v1(folder, most, used, cached=0):
    return {
        f"{folder}memory.limit_in_bytes": most,
        f"{folder}memory.usage_in_bytes": f"{used}\n",
        f"{folder}memory.stat": f"cache 7\ntotal_inactive_file {cached}\n",
    }


CASES = {
    "none": ("", {}, 8 * GIB),
    "no limit": ("0::/\n", v2("", "max\n", 3 * GIB), 8 * GIB),
    "in a container": ("0::/\n", v2("", f"{2 * GIB}\n", GIB), GIB),
    "files can be given back": (
        "0::/\n",
        v2("", f"{2 * GIB}\n", GIB, GIB // 2),
        GIB + GIB // 2,
    ),
    "of the group": ("0::/a/b\n", v2("a/b/", f"{4 * GIB}\n", GIB), 3 * GIB),
    "of the group around it": (
        "0::/a/b\n",
        v2("a/b/", "max\n", GIB) | v2("a/", f"{3 * GIB}\n", 2 * GIB),
        GIB,
    ),
    "the least of nested ones": (
        "0::/a/b\n",
        v2("a/b/", f"{GIB}\n", 0) | v2("a/", f"{6 * GIB}\n", 2 * GIB),
        GIB,
    ),
    "more than the machine has": ("0::/\n", v2("", f"{64 * GIB}\n", 0), 8 * GIB),
    "nothing is left": ("0::/\n", v2("", f"{GIB}\n", 2 * GIB), 0),
    "another group's is none": (
        "0::/a\n",
        v2("a/", "max\n", 0) | v2("b/", f"{GIB}\n", 0),
        8 * GIB,
    ),
    "the path outside": (
        "0::/docker/1234\n",
        v2("", f"{2 * GIB}\n", GIB),
        GIB,
    ),
    "v1": (
        "3:cpu,cpuacct:/x\n2:memory:/docker/1\n",
        v1("memory/docker/1/", f"{2 * GIB}\n", GIB, GIB // 4),
        GIB + GIB // 4,
    ),
    "v1 in a container": (
        "2:memory:/docker/1\n",
        v1("memory/", f"{2 * GIB}\n", GIB),
        GIB,
    ),
    "v1 without a limit": (
        "2:memory:/\n",
        v1("memory/", UNLIMITED_V1, GIB),
        8 * GIB,
    ),
    "v1 of another controller": (
        "3:cpu,cpuacct:/x\n",
        v1("cpu,cpuacct/x/", f"{GIB}\n", 0),
        8 * GIB,
    ),
    "both versions": (
        "2:memory:/a\n0::/a\n",
        v1("memory/a/", f"{3 * GIB}\n", 0) | v2("unified/a/", "max\n", 0),
        3 * GIB,
    ),
    "garbage": ("???\n0\n::\n", v2("", "soon\n", 0), 8 * GIB),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_limit_leaves(name, tmp_path):
    groups, files, expected = CASES[name]
    assert tree(tmp_path, groups, files) == expected


def test_without_proc_it_is_a_guess(tmp_path):
    assert available_memory(tmp_path) > 2**20
