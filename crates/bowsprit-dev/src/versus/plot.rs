//! The plot: bars of ratios, then a small diagram of growth for each family. All axes are logarithmic.

use std::fmt::Write;

use super::families::Growth;
use super::process::Cost;
use super::stats::times;
use super::{Inside, Results};

const WIDTH: f64 = 960.0;
const MARGIN: f64 = 28.0;
const HELM: &str = "#64748b";
const OURS: &str = "#ea580c";
const BARS: [(&str, &str); 4] = [
    ("CPU", "#ea580c"),
    ("wall", "#f59e0b"),
    ("memory", "#0d9488"),
    ("engine, in process", "#6366f1"),
];

macro_rules! put {
    ($svg:expr, $($format:tt)*) => {
        // Writing into a string cannot fail.
        let _ = writeln!($svg, $($format)*);
    };
}

pub(super) fn svg(results: &Results) -> String {
    let mut body = String::new();
    let bottom = bars(&mut body, results, 64.0);
    let bottom = if results.growths.is_empty() {
        bottom
    } else {
        panels(&mut body, &results.growths, bottom + 30.0)
    };
    let height = bottom + MARGIN;
    let mut svg = String::new();
    put!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12" fill="#1e293b">"##
    );
    put!(
        svg,
        "<title>bowsprit and Helm: ratios of cost, and growth with the size of charts</title>"
    );
    put!(svg, r##"<rect width="{WIDTH}" height="{height:.0}" rx="10" fill="#ffffff"/>"##);
    put!(
        svg,
        r##"<text x="{MARGIN}" y="38" font-size="17" font-weight="600">How many times less bowsprit uses than Helm</text>"##
    );
    svg.push_str(&body);
    svg.push_str("</svg>\n");
    svg
}

/// One group of bars: a label and the ratios in the order of [`BARS`].
type Group = (String, [Option<f64>; 4]);

fn groups(results: &Results) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (whole, inside) in results.whole.iter().zip(&results.inside) {
        let of = |of: fn(&Cost) -> f64| Some(whole.ratio(of));
        let ratios = [of(|c| c.cpu), of(|c| c.wall), of(|c| c.memory), Some(inside.engine_ratio())];
        groups.push((whole.name.clone(), ratios));
    }
    if !results.corpus.is_empty() {
        let median = super::stats::median(results.corpus.iter().map(Inside::engine_ratio));
        groups.push((
            format!("median of {} charts", results.corpus.len()),
            [None, None, None, Some(median)],
        ));
    }
    groups
}

fn bars(svg: &mut String, results: &Results, top: f64) -> f64 {
    const LEFT: f64 = 250.0;
    const BAR: f64 = 13.0;
    let groups = groups(results);
    let largest = groups.iter().flat_map(|(_, r)| r.iter().flatten()).copied().fold(10.0, f64::max);
    let axis =
        Axis { from: 1.0, to: largest * 1.25, at: LEFT, length: WIDTH - LEFT - MARGIN - 40.0 };
    legend(svg, &BARS, WIDTH - MARGIN, top - 26.0);
    let count: usize = groups.iter().map(|(_, r)| r.iter().flatten().count()).sum();
    let height = count as f64 * BAR + groups.len() as f64 * 14.0;
    for tick in [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0, 200.0, 500.0, 1000.0] {
        if tick <= axis.to {
            let x = axis.place(tick);
            put!(svg, r##"<path d="M{x:.1} {top}v{height:.1}" stroke="#e2e8f0"/>"##);
            put!(
                svg,
                r##"<text x="{x:.1}" y="{:.1}" text-anchor="middle" fill="#64748b" font-size="11">{tick}×</text>"##,
                top + height + 15.0
            );
        }
    }
    let mut y = top + 7.0;
    for (name, ratios) in &groups {
        let rows = ratios.iter().flatten().count() as f64;
        put!(
            svg,
            r##"<text x="{}" y="{:.1}" text-anchor="end">{name}</text>"##,
            LEFT - 10.0,
            y + rows * BAR / 2.0 + 4.0
        );
        for ((_, colour), ratio) in BARS.iter().zip(ratios) {
            let Some(ratio) = ratio else { continue };
            let width = (axis.place(*ratio) - LEFT).max(1.0);
            put!(
                svg,
                r##"<rect x="{LEFT}" y="{:.1}" width="{width:.1}" height="{}" rx="2" fill="{colour}"/>"##,
                y + 1.0,
                BAR - 2.0
            );
            put!(
                svg,
                r##"<text x="{:.1}" y="{:.1}" font-size="10" fill="#475569">{}</text>"##,
                LEFT + width + 5.0,
                y + 10.0,
                times(*ratio)
            );
            y += BAR;
        }
        y += 14.0;
    }
    top + height + 22.0
}

/// Right-aligned swatches with names.
fn legend(svg: &mut String, entries: &[(&str, &str)], right: f64, y: f64) {
    let width = |name: &str| 28.0 + name.chars().count() as f64 * 6.6;
    let mut x = right - entries.iter().map(|(name, _)| width(name)).sum::<f64>();
    for (name, colour) in entries {
        put!(
            svg,
            r##"<rect x="{x:.1}" y="{:.1}" width="10" height="10" rx="2" fill="{colour}"/>"##,
            y - 9.0
        );
        put!(svg, r##"<text x="{:.1}" y="{y:.1}">{name}</text>"##, x + 15.0);
        x += width(name);
    }
}

fn panels(svg: &mut String, growths: &[Growth], top: f64) -> f64 {
    const COLUMNS: usize = 5;
    const HEIGHT: f64 = 150.0;
    put!(
        svg,
        r##"<text x="{MARGIN}" y="{:.1}" font-size="17" font-weight="600">CPU milliseconds as charts grow</text>"##,
        top + 12.0
    );
    legend(svg, &[("Helm", HELM), ("bowsprit", OURS)], WIDTH - MARGIN, top + 12.0);
    let width = (WIDTH - 2.0 * MARGIN) / COLUMNS as f64;
    for (index, growth) in growths.iter().enumerate() {
        let x = MARGIN + (index % COLUMNS) as f64 * width;
        let y = top + 30.0 + (index / COLUMNS) as f64 * HEIGHT;
        panel(svg, growth, (x, y), (width - 14.0, HEIGHT - 16.0));
    }
    top + 30.0 + growths.len().div_ceil(COLUMNS) as f64 * HEIGHT
}

fn panel(svg: &mut String, growth: &Growth, (x, y): (f64, f64), (width, height): (f64, f64)) {
    let sizes = || growth.points.iter().map(|point| point.size);
    let costs = growth.points.iter().flat_map(|point| [Some(point.ours), point.helm]).flatten();
    let (low, high) = costs.fold((f64::INFINITY, 1.0), |(low, high), c| (c.min(low), c.max(high)));
    let across = Axis {
        from: sizes().fold(f64::INFINITY, f64::min),
        to: sizes().fold(1.0, f64::max),
        at: x + 34.0,
        length: width - 44.0,
    };
    // Upwards on the page is towards zero.
    let up = Axis { from: low * 0.7, to: high * 1.4, at: y + height - 18.0, length: 42.0 - height };
    put!(
        svg,
        r##"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="5" fill="#f8fafc"/>"##
    );
    put!(
        svg,
        r##"<text x="{:.1}" y="{:.1}" font-size="11" font-weight="600">{}</text>"##,
        x + 8.0,
        y + 15.0,
        growth.name
    );
    for tick in [1.0, 10.0, 100.0, 1000.0, 10_000.0] {
        if (up.from..=up.to).contains(&tick) {
            let at = up.place(tick);
            put!(
                svg,
                r##"<path d="M{:.1} {at:.1}h{:.1}" stroke="#e2e8f0"/>"##,
                across.at,
                across.length
            );
            put!(
                svg,
                r##"<text x="{:.1}" y="{:.1}" font-size="9" text-anchor="end" fill="#64748b">{tick}</text>"##,
                across.at - 4.0,
                at + 3.0
            );
        }
    }
    let label = format!("{}–{} {}", across.from, across.to, growth.unit);
    put!(
        svg,
        r##"<text x="{:.1}" y="{:.1}" font-size="9" text-anchor="middle" fill="#64748b">{label}</text>"##,
        across.at + across.length / 2.0,
        y + height - 5.0
    );
    let helm = growth.points.iter().filter_map(|p| Some((p.size, p.helm?))).collect::<Vec<_>>();
    let ours = growth.points.iter().map(|p| (p.size, p.ours)).collect::<Vec<_>>();
    for (points, colour, exponent) in
        [(helm, HELM, growth.helm_exponent), (ours, OURS, growth.our_exponent)]
    {
        curve(svg, &points, colour, (&across, &up));
        let (Some((size, cost)), Some(exponent)) = (points.last(), exponent) else { continue };
        let (tx, ty) = (across.place(*size) + 4.0, up.place(*cost) - 6.0);
        put!(
            svg,
            r##"<text x="{tx:.1}" y="{ty:.1}" font-size="9" text-anchor="end" fill="{colour}">n^{exponent:.2}</text>"##
        );
    }
}

fn curve(svg: &mut String, points: &[(f64, f64)], colour: &str, (across, up): (&Axis, &Axis)) {
    let places = points.iter().map(|(size, cost)| (across.place(*size), up.place(*cost)));
    let path: Vec<String> = places.clone().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    put!(
        svg,
        r##"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="1.8"/>"##,
        path.join(" ")
    );
    for (x, y) in places {
        put!(svg, r##"<circle cx="{x:.1}" cy="{y:.1}" r="2.2" fill="{colour}"/>"##);
    }
}

/// A logarithmic axis: values on a stretch of the page. A negative length runs backwards.
struct Axis {
    from: f64,
    to: f64,
    at: f64,
    length: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let span = (self.to / self.from).ln();
        let part = (value.max(self.from) / self.from).ln();
        if span > 0.0 { self.at + self.length * part / span } else { self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decade_is_as_long_as_the_next() {
        let axis = Axis { from: 1.0, to: 100.0, at: 10.0, length: 40.0 };
        assert_eq!(axis.place(0.5), 10.0);
        assert!((axis.place(10.0) - 30.0).abs() < 1e-9);
        assert!((axis.place(100.0) - 50.0).abs() < 1e-9);
    }
}
