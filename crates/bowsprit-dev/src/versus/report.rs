//! The document, and the last line for the terminal.

use std::fmt::Write;

use super::charts::Agreement;
use super::families::Growth;
use super::process::Cost;
use super::stats::{figure, least, median, ratio, times};
use super::{Inside, Results, Whole, threads};

/// Growth above this is worse than the work.
const LINEAR: f64 = 1.1;

impl Whole {
    /// Medians of Helm's runs and of ours.
    pub(super) fn medians(&self, of: impl Fn(&Cost) -> f64) -> (f64, f64) {
        (median(self.helm.iter().map(&of)), median(self.ours.iter().map(&of)))
    }

    pub(super) fn ratio(&self, of: impl Fn(&Cost) -> f64) -> f64 {
        let (helm, ours) = self.medians(of);
        ratio(helm, ours)
    }
}

impl Inside {
    pub(super) fn engine_ratio(&self) -> f64 {
        ratio(self.helm.engine(), self.ours.render)
    }

    fn changed_ratio(&self) -> Option<f64> {
        self.ours.changed.map(|changed| ratio(self.helm.engine(), changed))
    }
}

impl Growth {
    /// Helm's cost over ours at the largest size that Helm was run with.
    pub(super) fn last_ratio(&self) -> Option<(f64, f64)> {
        let last = self.points.iter().rev().find(|point| point.helm.is_some())?;
        Some((last.size, ratio(last.helm?, last.ours)))
    }
}

pub(super) fn markdown(results: &Results) -> String {
    let mut text = String::new();
    head(&mut text, results);
    whole(&mut text, results);
    inside(&mut text, results);
    corpus(&mut text, results);
    threads(&mut text, results);
    shares(&mut text, results);
    growth(&mut text, results);
    text
}

/// Writing into a string cannot fail.
macro_rules! line {
    ($text:expr, $($format:tt)*) => {
        let _ = writeln!($text, $($format)*);
    };
}

fn head(text: &mut String, results: &Results) {
    line!(text, "# bowsprit and Helm, side by side\n");
    line!(
        text,
        "Written on {} by `{}`; every figure comes from that one run.",
        today(),
        results.command
    );
    line!(text, "Do not edit: run it again.\n");
    line!(text, "- Machine: {}", machine());
    for version in &results.versions {
        line!(text, "- {version}");
    }
    line!(
        text,
        "- Both sides ran in turn on the same charts. The machine was shared with other work, so CPU time
  (user and system, all threads) is the figure to compare, and ratios within the run are what counts;
  wall time is given beside it.\n"
    );
    line!(text, "![Ratios and growth](benchmarks.svg)\n");
}

fn whole(text: &mut String, results: &Results) {
    if results.whole.is_empty() {
        return;
    }
    line!(text, "## Whole process: `template r CHART`\n");
    line!(
        text,
        "Medians of {} runs of each side; the output goes to `/dev/null`. Memory is the peak resident set. Nothing is kept\nfrom run to run (`--compiled-cache off`).\n",
        results.runs
    );
    wholes(text, &results.whole);
    line!(
        text,
        "The same with charts that have been rendered before, so that bowsprit finds them compiled (its default from the\nthird run with a chart on):\n"
    );
    wholes(text, &results.again);
}

fn wholes(text: &mut String, charts: &[Whole]) {
    line!(
        text,
        "| chart | output | CPU ms, Helm | bowsprit | ratio | wall ms, Helm | bowsprit | ratio | memory MiB, Helm | bowsprit | ratio | same output |"
    );
    line!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|");
    for chart in charts {
        let mut cells = String::new();
        for of in [|c: &Cost| c.cpu, |c: &Cost| c.wall, |c: &Cost| c.memory] {
            let (helm, ours) = chart.medians(of);
            let _ = write!(
                cells,
                " {} | {} | **{}** |",
                figure(helm),
                figure(ours),
                times(ratio(helm, ours))
            );
        }
        let kib = chart.bytes as f64 / 1024.0;
        line!(
            text,
            "| {} | {} KiB |{cells} {} |",
            chart.name,
            figure(kib),
            agreement(&chart.agreement)
        );
    }
    line!(text, "");
}

fn agreement(agreement: &Agreement) -> String {
    match agreement {
        Agreement::Same => "yes".to_string(),
        Agreement::SameBut(lines) => {
            format!("yes, but for {lines} lines that Helm does not repeat")
        }
        Agreement::Different => "**no**".to_string(),
    }
}

fn inside(text: &mut String, results: &Results) {
    if results.inside.is_empty() {
        return;
    }
    line!(text, "## Inside a process, chart loaded once\n");
    line!(
        text,
        "CPU milliseconds, medians. Helm's packages are timed by `tools/bench/gobench`: *engine* is coalescing the values,
rendering (Helm parses all templates each time) and sorting. *Same work* adds subcharts (conditions, imports) and schemas,
which the first renders of bowsprit include. *First render* compiles the chart; *render* is each further one with
the same values, from the third on, when subcharts and values are known, and *other values* one with values that no render
before had (a global that is new each time). The ratios are engine to these.\n"
    );
    line!(
        text,
        "| chart | load, Helm | bowsprit | engine, Helm | same work, Helm | first render, bowsprit | render, bowsprit | ratio | ratio, other values | ratio, first render |"
    );
    line!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for chart in &results.inside {
        line!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | **{}** | {} | {} |",
            chart.name,
            figure(chart.helm.load),
            figure(chart.ours.load),
            figure(chart.helm.engine()),
            figure(chart.helm.same_work()),
            figure(chart.ours.first),
            figure(chart.ours.render),
            times(chart.engine_ratio()),
            chart.changed_ratio().map_or_else(String::new, times),
            times(ratio(chart.helm.engine(), chart.ours.first))
        );
    }
    line!(text, "");
}

fn corpus(text: &mut String, results: &Results) {
    if results.corpus.is_empty() {
        return;
    }
    let ratios = || results.corpus.iter().map(Inside::engine_ratio);
    let first = results.corpus.iter().map(|c| ratio(c.helm.engine(), c.ours.first));
    let load = results.corpus.iter().map(|c| ratio(c.helm.load, c.ours.load));
    let least_ratio = least(ratios());
    line!(text, "### All charts of a corpus\n");
    line!(
        text,
        "{} charts that render without values, each stage at least three times. Left out: {} that do not render so, and {} whose
output has RSA keys: how long it takes to find one is luck. Charts that make keys without printing them are among those measured.\n",
        results.corpus.len(),
        results.left_out,
        results.with_keys
    );
    line!(text, "| | median chart | least |");
    line!(text, "|---|--:|--:|");
    line!(
        text,
        "| render, against Helm's engine | **{}** | **{}** |",
        times(median(ratios())),
        times(least_ratio)
    );
    let changed: Vec<f64> = results.corpus.iter().filter_map(Inside::changed_ratio).collect();
    if !changed.is_empty() {
        line!(
            text,
            "| render with other values each time ({} charts whose schema allows it) | {} | {} |",
            changed.len(),
            times(median(changed.clone())),
            times(least(changed))
        );
    }
    let first: Vec<f64> = first.collect();
    line!(
        text,
        "| first render, against Helm's engine | {} | {} |",
        times(median(first.clone())),
        times(least(first))
    );
    let load: Vec<f64> = load.collect();
    line!(text, "| load | {} | {} |\n", times(median(load.clone())), times(least(load)));
    slowest(text, results);
}

fn slowest(text: &mut String, results: &Results) {
    let mut charts: Vec<&Inside> = results.corpus.iter().collect();
    charts.sort_by(|a, b| a.engine_ratio().total_cmp(&b.engine_ratio()));
    line!(text, "The ten charts with the least ratio:\n");
    line!(text, "| chart | engine, Helm, ms | render, bowsprit, ms | ratio |");
    line!(text, "|---|--:|--:|--:|");
    for chart in charts.iter().take(10) {
        let (helm, ours) = (figure(chart.helm.engine()), figure(chart.ours.render));
        line!(text, "| {} | {helm} | {ours} | {} |", chart.name, times(chart.engine_ratio()));
    }
    line!(text, "");
}

fn threads(text: &mut String, results: &Results) {
    if results.threads.is_empty() {
        return;
    }
    line!(text, "## Two threads on one compiled chart\n");
    line!(
        text,
        "Renders a second by wall clock, the median of rounds of one thread and of two in turn. Other work on the machine's cores
shows here.\n"
    );
    line!(text, "| chart | one thread | two threads | ratio |");
    line!(text, "|---|--:|--:|--:|");
    for threads::Rates { name, one, two } in &results.threads {
        let gain = times(two / one);
        line!(text, "| {name} | {} | {} | **{gain}** |", figure(*one), figure(*two));
    }
    line!(text, "");
}

fn shares(text: &mut String, results: &Results) {
    if results.shares.is_empty() {
        return;
    }
    line!(text, "## Where the work goes\n");
    line!(
        text,
        "Shares of the instructions of a whole render, by `bowsprit-dev counts` (from `benches/counts.tsv`). *Templates* is running
them, *sort* is splitting the output and checking its YAML, *print* the rest: joining the output, and freeing what was made. The
last column is what it takes only to copy the output.\n"
    );
    line!(
        text,
        "| chart | instructions, million | load | compile | values | templates | sort | print | copying alone |"
    );
    line!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for share in &results.shares {
        let percent = |part: f64| format!("{:.0}%", 100.0 * part / share.whole);
        let copy = format!("{:.2}%", 100.0 * share.copy / share.whole);
        line!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {copy} |",
            share.chart,
            figure(share.whole / 1e6),
            percent(share.load),
            percent(share.compile),
            percent(share.values),
            percent(share.templates),
            percent(share.sort),
            percent(share.print)
        );
    }
    line!(text, "");
}

fn growth(text: &mut String, results: &Results) {
    if results.growths.is_empty() {
        return;
    }
    line!(text, "## Growth\n");
    line!(
        text,
        "Whole processes on synthetic charts of `tools/bench/gen_charts.py` that double from size to size. CPU milliseconds, the least
of {} runs of Helm and of twice as many of bowsprit. The exponent is the slope of log(cost − cost of `trivial`) over the last three
sizes: 1 is linear. Helm stops after the first size that takes it a second (a dozen for umbrellas of a real chart). *Counted* is
the exponent of bowsprit's instructions instead of its time, as valgrind counts them: noise and the caches of a machine are not
in it. Exponents of bowsprit above {LINEAR} are bold. In `include_depth` and `nested` bytes grow faster than levels: what an inner
template prints passes through all outer ones, and the name of a file is as long as the file is deep.\n",
        results.family_runs
    );
    line!(
        text,
        "| family | grows by | sizes | Helm, ms | bowsprit, ms | exponent, Helm | bowsprit | counted | ratio at Helm's largest |"
    );
    line!(text, "|---|---|---|---|---|--:|--:|--:|--:|");
    for growth in &results.growths {
        let join = |values: Vec<String>| values.join(" · ");
        let points = &growth.points;
        let ratio = growth
            .last_ratio()
            .map_or("–".to_string(), |(size, ratio)| format!("{} ({size})", times(ratio)));
        line!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {ratio} |",
            growth.name,
            growth.unit,
            join(points.iter().map(|p| p.size.to_string()).collect()),
            join(points.iter().filter_map(|p| p.helm).map(figure).collect()),
            join(points.iter().map(|p| figure(p.ours)).collect()),
            exponent(growth.helm_exponent, f64::INFINITY),
            exponent(growth.our_exponent, LINEAR),
            exponent(growth.counted_exponent, LINEAR)
        );
    }
    refusals(text, results);
}

/// Below the table: where a side gave up instead of rendering.
fn refusals(text: &mut String, results: &Results) {
    for growth in &results.growths {
        if let Some((size, why)) = &growth.refused {
            line!(text, "\n`{}` of {size} {}: {}", growth.name, growth.unit, clip(why));
        }
    }
}

/// The beginning and the end of a long message; an error of nested charts names them all.
fn clip(message: &str) -> String {
    const ENDS: usize = 120;
    let length = message.chars().count();
    if length <= 2 * ENDS {
        return message.to_string();
    }
    let head: String = message.chars().take(ENDS).collect();
    let tail: String = message.chars().skip(length - ENDS).collect();
    format!("{head} … {tail}")
}

fn exponent(value: Option<f64>, bold_above: f64) -> String {
    match value {
        None => "–".to_string(),
        Some(value) if value > bold_above => format!("**{value:.2}**"),
        Some(value) => format!("{value:.2}"),
    }
}

pub(super) fn summary(results: &Results) -> String {
    let mut text = String::new();
    for (what, charts) in [("", &results.whole), (", rendered before", &results.again)] {
        for chart in charts {
            let (cpu, memory) = (chart.ratio(|c| c.cpu), chart.ratio(|c| c.memory));
            line!(text, "{}{what}: CPU {}, memory {}", chart.name, times(cpu), times(memory));
        }
    }
    let ratios = || results.corpus.iter().map(Inside::engine_ratio);
    if !results.corpus.is_empty() {
        line!(text, "corpus: median {}, least {}", times(median(ratios())), times(least(ratios())));
    }
    for threads::Rates { name, one, two } in &results.threads {
        line!(text, "{name}: two threads {}", times(two / one));
    }
    for growth in &results.growths {
        let kinds =
            [("exponent", growth.our_exponent), ("counted exponent", growth.counted_exponent)];
        for (kind, value) in kinds.iter().filter(|(_, value)| value.is_some_and(|e| e > LINEAR)) {
            line!(text, "{}: {kind} {}", growth.name, exponent(*value, f64::INFINITY));
        }
    }
    text.trim_end().to_string()
}

/// The date in UTC, from the days since 1970.
fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let mut days = now.map_or(0, |time| time.as_secs() / 86400);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find(|line| line.starts_with("model name"));
    let model = model
        .and_then(|line| line.split_once(": "))
        .map_or(std::env::consts::ARCH, |(_, name)| name);
    format!("{cores} cores, {model}, {}", std::env::consts::OS)
}
