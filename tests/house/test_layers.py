"""The arrows of docs/architecture.md, and proof that the check can fail."""
import pathlib
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tools"))
import check_layers

bad = list(check_layers.violations(root))
print("ok 1 - every include points down" if not bad else "not ok 1 - " + "; ".join(bad))
with tempfile.TemporaryDirectory() as folder:
    engine = pathlib.Path(folder, "engine")
    engine.mkdir()
    (engine / "wrong.c").write_text('#include "harness/link/mesh.h"\n#include <uv.h>\n')
    found = list(check_layers.violations(pathlib.Path(folder)))
print(("ok" if len(found) == 2 else "not ok") + " 2 - a forbidden include is found")
print("1..2")
