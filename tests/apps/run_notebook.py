"""Runs the code cells of a notebook in order and prints its `numbers` as JSON.

    python run_notebook.py NOTEBOOK PARAMETERS

PARAMETERS is a JSON object of names that are set after the cell tagged `parameters`, as papermill does.
"""
import contextlib
import json
import pathlib
import sys


def main():
    notebook = json.loads(pathlib.Path(sys.argv[1]).read_text())
    names = {"__name__": "__main__"}
    with contextlib.redirect_stdout(sys.stderr):
        for cell in notebook["cells"]:
            if cell["cell_type"] != "code":
                continue
            assert cell["outputs"] == [] and cell["execution_count"] is None, f"{cell['id']} keeps what it printed"
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
            if "parameters" in cell["metadata"].get("tags", []):
                names.update(json.loads(sys.argv[2]))
    print(json.dumps(names["numbers"]))


if __name__ == "__main__":
    main()
