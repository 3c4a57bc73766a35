"""Medians and spread over the rounds, and the tables made of them. Ratios are taken within a round, then their median."""

import statistics

HEAD = "| case | clients | system | nodes | tx/s | of direct | of PgBouncer | CPU µs/tx | of PgBouncer's CPU | p99 ms |"
RULE = "| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: |"

NOTES = """\
- One machine runs pgbench, three PostgreSQL and the system under test, so throughput is to be read as a ratio within this table only.
- `direct` and PgBouncer use the primary only. pgpool-II and PgRouter spread the SELECTs over three nodes; `PgRouter, primary only` has
  load_balance_mode = off and is the like-for-like figure beside PgBouncer. All that write use the primary only.
- CPU is user and system time of the proxy's processes per transaction, without PostgreSQL's and pgbench's.
- Debian's PgBouncer 1.18 cannot serve prepared statements in transaction mode, so it has no row there.
- Medians over the rounds; ± is half of the range over the rounds. Ratios are taken within a round."""


def summarize(samples):
    """From records of (round, case, clients, system, figures) to one row per case, clients and system."""
    rows = []
    for case, clients, system in dict.fromkeys((s["case"], s["clients"], s["system"]) for s in samples):
        own = [s for s in samples if (s["case"], s["clients"], s["system"]) == (case, clients, system)]
        done = [s for s in own if "tps" in s]
        rows.append({
            "case": case,
            "clients": clients,
            "system": system,
            "label": own[0]["label"],
            "nodes": own[0]["nodes"],
            "rounds": len(done),
            "failures": [s["failure"] for s in own if "failure" in s],
            "tps": _spread([s["tps"] for s in done]),
            "cpu": _spread([s["cpu"] for s in done if s["cpu"] is not None]),
            "p50": _spread([s["p50"] for s in done]),
            "p99": _spread([s["p99"] for s in done]),
            "tps_of_direct": _ratio(samples, done, "direct", "tps"),
            "tps_of_pgbouncer": _ratio(samples, done, "pgbouncer", "tps"),
            "cpu_of_pgbouncer": _ratio(samples, done, "pgbouncer", "cpu"),
        })
    return rows


def markdown(result):
    """The whole page: how it was measured, the table, the notes."""
    machine = result["machine"]
    lines = [
        f"Measured {result['started']} on {machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}; "
        f"load average {machine['load_before']} before, {machine['load_after']} after.",
        f"{result['rounds']} rounds of {result['seconds']} s per case and system, pool size {result['pool_size']}, "
        f"pgbench scale {result['scale']}.",
        "",
        *(f"- {label}: {version}" for label, version in result["versions"].items()),
        "",
        *table(result["rows"]),
        "",
        NOTES,
        "",
    ]
    return "\n".join(lines)


def table(rows):
    lines, previous = [HEAD, RULE], None
    for row in rows:
        group = (row["case"], row["clients"])
        case, clients = group if group != previous else ("", "")
        previous = group
        lines.append(f"| {case} | {clients} | {row['label']} | {row['nodes']} | {_figures(row)} |")
    return lines


def _figures(row):
    if row["rounds"] == 0:
        return "failed | | | | | "
    return " | ".join([
        _with_spread(row["tps"], 0),
        _plain(row["tps_of_direct"]),
        _plain(row["tps_of_pgbouncer"]),
        _with_spread(row["cpu"], 1),
        _plain(row["cpu_of_pgbouncer"]),
        "" if row["p99"] is None else f"{row['p99']['median'] / 1000:.2f}",
    ])


def _spread(values):
    """Median and range, None without values."""
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _ratio(samples, own, base, figure):
    """Median over the rounds of own / base in the same round."""
    bases = {
        (s["round"], s["case"], s["clients"]): s[figure] for s in samples if s["system"] == base and s.get(figure)}
    ratios = [
        s[figure] / bases[key] for s in own
        if s.get(figure) and (key := (s["round"], s["case"], s["clients"])) in bases]
    return statistics.median(ratios) if ratios else None


def _with_spread(spread, digits):
    if spread is None:
        return ""
    half = (spread["max"] - spread["min"]) / 2
    return f"{spread['median']:,.{digits}f} ± {half:,.{digits}f}"


def _plain(value):
    return "" if value is None else f"{value:.2f}"
