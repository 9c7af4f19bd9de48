"""Whether the kernels' states stay in registers, which needs no GPU to be known."""

import re
import subprocess

import pytest

triton = pytest.importorskip(
    "triton", minversion="3.4", reason="Triton 3.4 or later is not installed"
)

INTEGERS = {
    "ids": "*i32",
    "offsets": "*i32",
    "starts": "*i32",
    "columns": "*i64",
    "entered_from": "*i32",
    "order": "*i32",
    "piece_starts": "*i32",
    "first_pieces": "*i32",
    "n_states": "i32",
    "n_rows": "i32",
    "n": "i32",
    "width": "i32",
}
OF_NEWTON = {"starts": "*i64", "rows": "*i64"}
FREE = {"REPEATS": False, "ANYWHERE": False, "HAS_BELOW": False}
SHARED = {"REPEATS": True, "ANYWHERE": True, "HAS_BELOW": False}
BOUND = {"REPEATS": True, "ANYWHERE": True, "HAS_BELOW": True}


@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize(
    ("module", "name", "constants"),
    [
        ("forward", "forward", {**FREE, "CHUNK": 8, "KEEP_HISTORY": False}),
        ("forward", "forward", {**SHARED, "CHUNK": 8, "KEEP_HISTORY": True}),
        ("forward", "forward", {**BOUND, "CHUNK": 4, "KEEP_HISTORY": True}),
        ("backward", "backward", {**FREE, "CHUNK": 4, "HAS_ABOVE": False}),
        ("backward", "backward", {**SHARED, "CHUNK": 8, "HAS_ABOVE": False}),
        ("backward", "backward", {**BOUND, "CHUNK": 4, "HAS_ABOVE": True}),
        ("sums", "sum_pieces", {"TILE": 8}),
        ("sums", "sum_rows", {"TILE": 8}),
        ("gates", "activate", {"BLOCK": 1024}),
        ("adam", "_descend", {"BLOCK": 1024}),
        ("newton", "_shrink", {"BLOCK": 1024}),
    ],
)
def test_compiles_without_spilling_registers(
    compiled, tmp_path, capability, module, name, constants
):
    kernel = getattr(getattr(compiled, module), name)
    integers = INTEGERS | (OF_NEWTON if module == "newton" else {})
    signature = {
        p.name: "constexpr" if p.is_constexpr else integers.get(p.name, "*fp32")
        for p in kernel.params
    }
    walks = "CHUNK" in constants
    if walks:
        constants = {"LEVELS": compiled.layout.LEVELS, **constants}
    source = triton.compiler.ASTSource(kernel, signature, constants)
    with triton.knobs.cache.scope():
        triton.knobs.cache.dir = str(tmp_path)
        built = triton.compile(
            source,
            target=triton.backends.compiler.GPUTarget("cuda", capability, 32),
            options={"num_warps": 1 if walks else 4, "enable_fp_fusion": True},
        )
    cubin = tmp_path / "kernel.cubin"
    cubin.write_bytes(built.asm["cubin"])
    command = [triton.knobs.nvidia.cuobjdump.path, "-res-usage", str(cubin)]
    usage = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    print(name, capability, usage.splitlines()[-1], f"dynamic {built.metadata.shared}")
    assert re.search(r"STACK:0\b.*LOCAL:0\b", usage)
