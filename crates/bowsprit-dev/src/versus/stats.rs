//! Medians, slopes, and how figures are written.

/// The upper median. Zero without any values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

pub(super) fn least(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().min_by(f64::total_cmp).unwrap_or_default()
}

/// The slope of log(cost) over log(size), by least squares, of the last three points.
pub(super) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let last = points.get(points.len().checked_sub(3)?..)?;
    if last.iter().any(|(_, cost)| *cost <= 0.0) {
        return None;
    }
    let logs: Vec<(f64, f64)> = last.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let count = logs.len() as f64;
    let x = logs.iter().map(|(x, _)| x).sum::<f64>() / count;
    let y = logs.iter().map(|(_, y)| y).sum::<f64>() / count;
    let above: f64 = logs.iter().map(|(a, b)| (a - x) * (b - y)).sum();
    let below: f64 = logs.iter().map(|(a, _)| (a - x) * (a - x)).sum();
    (below > 0.0).then(|| above / below)
}

/// Three significant digits, or all digits before the point.
pub(super) fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// How many times `ours` fits into `theirs`.
pub(super) fn ratio(theirs: f64, ours: f64) -> f64 {
    if ours > 0.0 { theirs / ours } else { 0.0 }
}

pub(super) fn times(ratio: f64) -> String {
    if ratio > 0.0 { format!("{ratio:.1}×") } else { "–".to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponent_is_read_from_the_last_three_sizes() {
        let square: Vec<(f64, f64)> = [1.0, 2.0, 4.0, 8.0]
            .iter()
            .map(|n: &f64| (*n, if *n < 2.0 { 9.0 } else { 3.0 * n * n }))
            .collect();
        assert!((exponent(&square).unwrap() - 2.0).abs() < 1e-9);
        assert_eq!(exponent(&square[..2]), None);
        assert_eq!(exponent(&[(1.0, 1.0), (2.0, 0.0), (4.0, 1.0)]), None);
    }

    #[test]
    fn figures_have_three_digits() {
        assert_eq!(figure(1234.5), "1234");
        assert_eq!(figure(12.345), "12.3");
        assert_eq!(figure(0.01234), "0.012");
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
    }
}
