"""What is drawn of the figures, and their tables in Markdown. Everything is a median of rounds."""
from statistics import median

from growing.svg import Axis, Plot, Series, picture


def curve(name, rows, x, y):
    return Series(name, [(row[x], y(row)) for row in rows])


def middle(name):
    return lambda row: median(row[name])


def flags(rows):
    x = Axis("flags", is_log=True)

    def one(title, unit, *curves, is_log=True):
        return Plot(title, x, Axis(unit, is_log), [curve(name, rows, "flags", y) for name, y in curves])

    return picture("How one worker does with 1 to 10,000 flags", [
        one("Requests", "requests a second", ("", middle("rate"))),
        one("Processor time of a request", "µs", ("", middle("spent"))),
        one("Latency of 200 requests a second", "ms", ("p50", middle("p50")), ("p99", middle("p99"))),
        one("Memory", "MiB", ("in use", lambda row: row["memory"]), ("at most, after reloads", lambda row: row["peak"]), is_log=False),
        one("Start", "seconds", ("", middle("start")), is_log=False),
        one("Reload", "seconds", ("until it is in force", middle("reload")), ("processor time", middle("reload_spent")), is_log=False),
    ])


def flags_table(rows):
    heads = ("flags", "requests/s", "µs", "p50 ms", "p99 ms", "MiB", "start s", "reload s", "its processor time s")
    return table(heads, [
        (
            f"{row['flags']:,}", f"{median(row['rate']):,.0f}", f"{median(row['spent']):.1f}", f"{median(row['p50']):.2f}", f"{median(row['p99']):.2f}",
            f"{row['memory']:.0f}", f"{median(row['start']):.3f}", f"{median(row['reload']):.2f}", f"{median(row['reload_spent']):.3f}",
        )
        for row in rows
    ])


def visitors(rows):
    x = Axis("visitors", is_log=True)
    return picture("How one worker does with 1 to 1,000,000 visitors of an experiment", [
        Plot("Memory", x, Axis("MiB"), [curve("", rows, "visitors", lambda row: row["memory"])]),
        Plot("Processor time of a request, with writing", x, Axis("µs"), [curve("", rows, "visitors", middle("spent"))]),
    ])


def visitors_table(rows):
    return table(("visitors", "MiB before", "MiB", "µs", "events written again, of a request", "dropped"), [
        (
            f"{row['visitors']:,}", f"{row['before']:.0f}", f"{row['memory']:.0f}", f"{median(row['spent']):.1f}",
            f"{median(row['rows']):.2f}", f"{median(row['dropped']):.2f}",
        )
        for row in rows
    ])


def per_connection(row):
    """KiB of each idle connection."""
    return (row["after"] - row["before"]) * 1024 / row["connections"]


def connections(rows):
    x = Axis("idle connections", is_log=True)
    some = [row for row in rows if row["connections"]]
    seen = [row for row in some if row["after"] > row["before"]]  # a few take less than what is counted
    return picture("How one worker does with 10 to 10,000 idle connections", [
        Plot("Memory that they take", x, Axis("MiB", is_log=True), [curve("", seen, "connections", lambda row: row["after"] - row["before"])]),
        Plot("Latency of 500 requests a second", x, Axis("ms"), [curve(name, some, "connections", middle(name)) for name in ("p50", "p99")]),
    ])


def connections_table(rows):
    return table(("idle connections", "MiB before", "MiB with them", "KiB of each", "p50 ms", "p99 ms", "µs of a request"), [
        (
            f"{row['connections']:,}", f"{row['before']:.1f}", f"{row['after']:.1f}", f"{per_connection(row):.1f}" if row["connections"] else "",
            f"{median(row['p50']):.2f}", f"{median(row['p99']):.2f}", f"{median(row['spent']):.0f}",
        )
        for row in rows
    ])


def cores(row):
    return "one core" if row["cores"] == 1 else f"{row['cores']} cores"


def reload(rows):
    def one(row):
        points = {kind: [(number + 1, time) for number, time in enumerate(row[kind]["p99"])] for kind in ("without", "with")}
        title = f"99 of 100 answers, on {cores(row)}"
        series = [Series("without a reload", points["without"], joined=False), Series("with one", points["with"], joined=False)]
        return Plot(title, Axis("pairs of seconds, in their order"), Axis("ms", is_log=True), series)

    def course(row):
        title = f"Longest answer, on {cores(row)}"
        series = [Series("without a reload", row["course"]["without"]), Series("with one", row["course"]["with"])]
        return Plot(title, Axis("ms after the edit"), Axis("ms, median of the edits"), series)

    return picture("Latency in seconds with and without a reload of 4 MB", [*map(one, rows), *map(course, rows)])


def reload_table(rows):
    def ratio(row, name):
        return median(b / a for a, b in zip(row["without"][name], row["with"][name]))

    return table(("cores", "", "p50 ms", "p99 ms", "longest ms", "in force after s", "processor time s"), [
        cells
        for row in rows
        for cells in (
            (f"{row['cores']}", "without", *(f"{median(row['without'][name]):.2f}" for name in ("p50", "p99", "longest")), "", ""),
            (
                "", "with", *(f"{median(row['with'][name]):.2f}" for name in ("p50", "p99", "longest")),
                f"{median(row['took']):.2f}", f"{median(row['spent']):.2f}",
            ),
            ("", "ratio", *(f"{ratio(row, name):.2f}" for name in ("p50", "p99", "longest")), "", ""),
        )
    ])


def results(rows):
    def series(y):
        stores = dict.fromkeys(row["store"] for row in rows)
        return [curve(store, [row for row in rows if row["store"] == store], "exposures", y) for store in stores]

    x = Axis("exposures", is_log=True)
    return picture("How long results take over millions of exposures", [
        Plot("flagstaff results FLAG", x, Axis("seconds", is_log=True), series(middle("took"))),
        Plot("Size of the ledger", x, Axis("MB", is_log=True), series(lambda row: row["bytes"] / 1e6)),
    ])


def results_table(rows):
    return table(("store", "exposures", "seconds", "its own processor time s", "its MiB at most", "ledger MB", "recorded and packed a second"), [
        (
            row["store"], f"{row['exposures']:,}", f"{median(row['took']):.2f}", f"{median(row['spent']):.2f}", f"{median(row['memory']):.0f}",
            f"{row['bytes'] / 1e6:,.0f}", f"{row['exposures'] / row['filled']:,.0f}",
        )
        for row in rows
    ])


DRAWN = {"flags": flags, "visitors": visitors, "connections": connections, "reload": reload, "results": results}
TABLES = {"flags": flags_table, "visitors": visitors_table, "connections": connections_table, "reload": reload_table, "results": results_table}


def table(heads, rows):
    lines = [heads, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    told = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    return "\n".join([told[0], "|" + "---|" * len(widths), *told[1:]])


def draw(figures, folder):
    """Draws every part that was measured, and returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for part, rows in figures["parts"].items():
        file = folder / f"growth-{part}.svg"
        file.write_text(DRAWN[part](rows))
        files.append(file)
    return files
