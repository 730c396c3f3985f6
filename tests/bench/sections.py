"""What is measured: a function for each section of run.py."""
import statistics

import measure
from figures import median_ratio, seconds, table
from page_server import PageServer, available
from pages import write_pages
from peers import Contest
from world import PERIOD, Month

CHANGED_PPM = 10000
EMPLOYEES_EACH = 20
CURL_PARALLEL = 50  # as many as it takes by itself, said


def walls(runs):
    return [took.wall_s for took in runs]


def middle(runs):
    return statistics.median(walls(runs))


def highest_peak(world, measured):
    """Watching may miss a peak that does not last, and whether the largest companies meet in two workers is chance."""
    return highest(measured() for _ in range(world.sizes.repeat))


def highest(peaks):
    return max(peaks, key=lambda peak: peak.mib)


def against(ours, theirs):
    return f"{seconds(middle(ours))} against {seconds(middle(theirs))}"


# ---- a payroll month: first night, unchanged night, a night with changes ----

def month(world, figures):
    sizes, database = world.sizes, world.use_database()
    month = world.month()
    month.night("unchanged", 1).night("changed", 2, CHANGED_PPM)
    runs = {name: [] for name in ("transform", "load", "copy", "load again", "transform changed", "load changed")}
    for night in ("first", "unchanged", "changed"):
        measure.run(world.stage("transform", month, night))
    exported, dead = Exported(world, month), {}
    for number in range(sizes.repeat):
        runs["transform"].append(measure.run(month.transform_anew("first")))
        runs["transform changed"].append(measure.run(month.transform_anew("changed")))
        for step in (("load", "copy"), ("copy", "load"))[number % 2]:   # each before the other in turn
            if step == "copy":
                runs["copy"].append(exported.copy("fill.sql"))
            else:
                dead = load_nights(world, month, runs)
    figures.at_most("load against `psql \\copy` of the same rows",
                    median_ratio(walls(runs["load"]), walls(runs["copy"])), 1.25, against(runs["load"], runs["copy"]))
    ratio = median_ratio(walls(runs["load again"]), walls(runs["load"]))
    figures.add("load of an unchanged night against the first",
                f"{ratio:.2f}× ({against(runs['load again'], runs['load'])}), dead rows: "
                + (", ".join(f"{n} {table}" for table, n in dead.items()) or "none"),
                "at most 0.4×, no dead rows", ratio <= 0.4 and not dead)
    first, changed = (added(runs[f"transform{which}"], runs[f"load{which}"]) for which in ("", " changed"))
    figures.at_most("transform + load where 1 % changed, against the first night", median_ratio(changed, first), 0.35,
                    f"{seconds(statistics.median(changed))} against {seconds(statistics.median(first))}")


def added(transforms, loads):
    return [a + b for a, b in zip(walls(transforms), walls(loads))]


class Exported:
    """What load makes of a month, as files, and databases that \\copy fills with them."""

    def __init__(self, world, month):
        self.world, self.database, self.folder = world, world.database, world.new_folder("exported")
        self.memory = month.memory
        self.database.fresh("bench")
        measure.run(world.stage("load", month, "first"), self.database.of("bench"))
        self.tables = self.database.export("bench", self.folder, PERIOD)
        self.loaded = self.database.rows("bench", self.tables)

    def copy(self, script):
        """fill.sql: all tables; rest.sql: all but the contributions."""
        self.database.fresh("bench_copy", memory=self.memory)
        took = measure.run(["psql", "-Xq1", "-v", "ON_ERROR_STOP=1", "-f", self.folder / script],
                           {**self.database.of("bench_copy"), "PGOPTIONS": "-c jit=off"})
        filled = self.database.rows("bench_copy", self.tables)
        if script == "fill.sql" and filled != self.loaded:
            raise measure.Failed(f"\\copy filled {filled}, load {self.loaded}")
        return took


def load_nights(world, month, runs):
    """Night after night into an empty database; the rows that the unchanged one has rewritten, by table."""
    database = world.database
    database.fresh("bench", memory=month.memory)
    runs["load"].append(measure.run(world.stage("load", month, "first"), database.of("bench")))
    before = database.rewritten("bench")
    runs["load again"].append(measure.run(world.stage("load", month, "unchanged"), database.of("bench")))
    dead = {table: n - before[table] for table, n in database.rewritten("bench").items() if n > before[table]}
    runs["load changed"].append(measure.run(world.stage("load", month, "changed"), database.of("bench")))
    return dead


# ---- the same work by others ----

def peers(world, figures):
    world.use_database()
    month = world.month()
    contest = Contest(world, month, "first")
    transforms, loads, rest, ducks = [], [], [], {duck: [] for duck in contest.ducks if not duck.why_not}
    measure.run(world.stage("transform", month, "first"))
    exported = Exported(world, month)
    for _ in range(world.sizes.repeat):
        transforms.append(measure.run(month.transform_anew("first")))
        for duck, runs in ducks.items():
            runs.append(measure.run(*contest.without_database(duck)))
        world.database.fresh("bench", memory=month.memory)
        loads.append(measure.run(world.stage("load", month, "first"), world.database.of("bench")))
        contest.round()
        rest.append(exported.copy("rest.sql"))
    against_duckdb(world, figures, month, contest, transforms, ducks)
    fault = contest.disagreement(contest.ours("bench"))
    if fault:
        figures.add("totals of all peers and of load", fault, "the same", False)
    ours = added(transforms, loads)
    rows = [("this pipeline, all of its work", seconds(statistics.median(ours)), "", "", "", "")]
    for peer in contest.peers:
        name = f"transform + load against {peer.name}"
        if peer.why_not:
            figures.not_run(name, peer.why_not, "faster")
            rows.append((peer.name, "not run: " + peer.why_not, "", "", "", ""))
            continue
        alone, whole = walls(peer.took), added(peer.took, rest)
        ratio, ratio_whole = median_ratio(alone, ours), median_ratio(whole, ours)
        figures.add(name + ", contributions alone", as_times(ratio, ours, alone), "faster", ratio > 1)
        figures.add(name + ", all tables", as_times(ratio_whole, ours, whole), "faster",
                    ratio_whole > 1)
        rows.append((peer.name, seconds(statistics.median(alone)), f"{ratio:.2f}×", seconds(statistics.median(whole)),
                     f"{ratio_whole:.2f}×", "differ" if fault else "same rows, same cents"))
    world.contest_table = table(("who", "contributions", "÷ ours", "all tables", "÷ ours", "totals"), rows)


def as_times(ratio, ours, theirs):
    return f"{ratio:.2f}× ({seconds(statistics.median(ours))} against {seconds(statistics.median(theirs))})"


def against_duckdb(world, figures, month, contest, transforms, ducks):
    names = "transform, all of its work, against the part of {}", "peak memory of transform against {}"
    ours = highest_peak(world, lambda: measure.peak(world.stage("transform", month, "first")))
    for duck in contest.ducks:
        speed, memory = (name.format(duck.name.removesuffix(" + `\\copy`")) for name in names)
        if duck not in ducks:
            figures.not_run(speed, duck.why_not, "at least 1.5× faster")
            figures.not_run(memory, duck.why_not, "at most 0.1×")
            continue
        figures.at_least(speed, median_ratio(walls(ducks[duck]), walls(transforms)), 1.5, against(transforms, ducks[duck]))
        theirs = highest_peak(world, lambda: measure.peak(*contest.without_database(duck)))
        figures.at_most(memory, ours.mib / theirs.mib, 0.1, f"{ours}, against {theirs}")


# ---- extract ----

def fetched_pages(world, employees, companies):
    """A month as a feed would give it, with those before it, which extract asks for again: (its server, the stages' month)."""
    month = Month(world, employees, companies, even=True, billing_months=3).night("feed")
    folder = world.new_folder("feed")
    server = PageServer(folder)
    write_pages(month.output("extract", "feed"), folder, server.url)
    month.fetched, month.config = month.totals("extract", "feed"), folder / "pipeline.yaml"
    month.feed = folder
    return server, month


def extract(world, figures):
    name, goal = "extract against `curl --parallel` of the same pages", 1.3
    if not available():
        figures.not_run(name, "nginx is not installed", f"at most {goal}×")
        return
    database = world.use_database()
    server, month = fetched_pages(world, world.sizes.feed_companies * EMPLOYEES_EACH, world.sizes.feed_companies)
    ours, theirs = [], []
    database.fresh("bench_extract")
    with server:
        for number in range(world.sizes.repeat):
            staging = world.new_folder("staging")
            ours.append(measure.run(world.stage("extract", month, f"round-{number}", "--staging", staging),
                                    database.of("bench_extract")))
            theirs.append(measure.run(["curl", "-sS", "--fail", "--parallel", "--parallel-max", CURL_PARALLEL,
                                       "--config", month.feed / "curl.config"], cwd=world.new_folder("curl")))
            month.staging = staging
            if month.totals("extract", f"round-{number}")[2:] != month.fetched[2:]:
                raise measure.Failed("extract did not stage what the pages were made from")
    pages = sum(line.startswith(b"url") for line in open(month.feed / "curl.config", "rb"))
    figures.at_most(name, median_ratio(walls(ours), walls(theirs)), goal, f"{against(ours, theirs)}, {pages} pages")


# ---- growth, memory, the smallest ----

def growth(world, figures):
    """Each size in turn with twice that size, so that both meet the same hour of the machine."""
    database, (employees, last) = world.use_database(), world.sizes.growth
    smaller, times, steps = None, {}, {}

    def first_night(month):
        database.fresh("bench_growth", memory=month.memory)
        took = (measure.run(month.transform_anew("first")).wall_s
                + measure.run(world.stage("load", month, "first"), database.of("bench_growth")).wall_s)
        times.setdefault(month.employees, []).append(took)
        return took

    while employees <= last:
        larger = Month(world, employees, max(1, employees // EMPLOYEES_EACH)).night("first")
        measure.run(world.stage("transform", larger, "first"))
        if smaller:
            nights = [(first_night(smaller), first_night(larger)) for _ in range(world.sizes.repeat)]
            steps[employees] = statistics.median(twice / once for once, twice in nights)
            smaller.remove()
        smaller, employees = larger, employees * 2
    if steps:
        figures.at_most("employees ×2, time of transform + load", max(steps.values()), 2.1, ", ".join(
            f"{n}: {seconds(statistics.median(t))}" + (f" ({steps[n]:.2f}×)" if n in steps else "")
            for n, t in times.items()))
    if smaller:
        smaller.remove()


def memory(world, figures):
    """Companies of the same size, four times as many; with the fewer, all workers and threads have parts to go on with."""
    database, peaks = world.use_database(), {}

    def loads(month):
        """The first, and the same once more, when there is something to compare with."""
        database.fresh("bench_memory")
        return [measure.peak(world.stage("load", month, "first"), database.of("bench_memory")) for _ in range(2)]

    for companies in (4000, 16000):
        month = Month(world, companies * EMPLOYEES_EACH, companies, even=True).night("first")
        transform = highest_peak(world, lambda: measure.peak(world.stage("transform", month, "first")))
        peaks[companies] = transform, *map(highest, zip(*(loads(month) for _ in range(world.sizes.repeat))))
        month.remove()
    for what, (few, many) in zip(("transform", "load", "load of a second night"), zip(*peaks.values())):
        figures.at_most(f"peak memory of {what}, companies ×4", many.mib / few.mib, 1.1,
                        "; ".join(f"{n:,}: {peak}" for n, peak in zip(peaks, (few, many))))


def one(world, figures):
    name, goal = "one company of 50 employees through the three stages", "under 150 ms"
    if not available():
        figures.not_run(name, "nginx is not installed", goal)
        return
    database = world.use_database()
    server, month = fetched_pages(world, 50, 1)
    nights = []
    with server:
        for number in range(max(5, world.sizes.repeat)):
            database.fresh("bench_one")
            month.staging = world.new_folder("one")
            more = "--staging", month.staging
            nights.append([measure.run(world.stage(stage, month, f"night-{number}", *more), database.of("bench_one"))
                           for stage in ("extract", "transform", "load")])
    stages = [middle(runs) for runs in zip(*nights)]
    total = statistics.median(sum(walls(night)) for night in nights)
    parts = " + ".join(f"{stage * 1000:.0f}" for stage in stages)
    figures.add(name, f"{total * 1000:.0f} ms ({parts})", goal, total < 0.15)
