//! Values of flags: what they must look like, and what is said of those that don't.

use super::csv::read_record;
use super::{Flag, Kind};
use bowsprit::chart::{Level, LogLine};
use bowsprit::value::strconv::{self, NumError};

/// The pieces of a flag's value; usually it is one.
///
/// # Errors
///
/// Says what is wrong with the value, in the words of Helm and of Go's libraries.
pub(super) fn check(
    flag: &Flag,
    value: &str,
    log: &mut Vec<LogLine>,
    post_renderer: &dyn Fn(&str) -> Result<(), String>,
) -> Result<Vec<String>, String> {
    let bytes = value.as_bytes();
    match flag.kind {
        Kind::Text | Kind::Texts => {}
        Kind::Bool => {
            let truth = strconv::parse_bool(bytes).map_err(number)?;
            return Ok(vec![truth.to_string()]);
        }
        Kind::List => return read_record(value),
        Kind::Pairs => return pairs(value),
        Kind::Int64 => drop(strconv::parse_int(bytes, 0, 64).map_err(number)?),
        Kind::Level => drop(strconv::parse_int(bytes, 10, 32).map_err(number)?),
        Kind::Uint64 => drop(strconv::parse_uint(bytes, 0, 64).map_err(number)?),
        Kind::Float32 => float32(value)?,
        Kind::Duration => drop(duration(value)?),
        Kind::Size => return size(value).map(|bytes| vec![bytes.to_string()]),
        Kind::Output => output(value)?,
        Kind::Wait => wait(value, log)?,
        Kind::PostRenderer => post_renderer(value)?,
    }
    Ok(vec![value.to_owned()])
}

fn number(error: NumError) -> String {
    error.text().to_string_lossy().into_owned()
}

pub(super) fn quote(text: &str) -> String {
    String::from_utf8_lossy(&strconv::quote(text.as_bytes())).into_owned()
}

fn float32(value: &str) -> Result<(), String> {
    let parsed = strconv::parse_float(value.as_bytes()).map_err(number)?;
    if parsed.is_finite() && (parsed as f32).is_infinite() {
        return Err(format!("strconv.ParseFloat: parsing {}: value out of range", quote(value)));
    }
    Ok(())
}

fn pairs(value: &str) -> Result<Vec<String>, String> {
    let malformed = |pair: &str| format!("{pair} must be formatted as key=value");
    let pairs = match value.matches('=').count() {
        0 => return Err(malformed(value)),
        1 => vec![value.trim_matches('"').to_owned()],
        _ => read_record(value)?,
    };
    match pairs.iter().find(|pair| !pair.contains('=')) {
        Some(pair) => Err(malformed(pair)),
        None => Ok(pairs),
    }
}

/// Bytes, with `Ki`, `Mi` or `Gi` behind the number or without.
fn size(value: &str) -> Result<u64, String> {
    let units = [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30)];
    let (digits, unit) = units
        .iter()
        .find_map(|(suffix, unit)| Some((value.strip_suffix(suffix)?, *unit)))
        .unwrap_or((value, 1u64));
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    bytes.ok_or_else(|| "want a number of bytes, as in 1000000, 64Mi or 1Gi".to_owned())
}

fn output(value: &str) -> Result<(), String> {
    match value {
        "table" | "json" | "yaml" => Ok(()),
        _ => Err("invalid format type".to_owned()),
    }
}

fn wait(value: &str, log: &mut Vec<LogLine>) -> Result<(), String> {
    let instead = match value {
        "watcher" | "legacy" | "hookOnly" => return Ok(()),
        "true" => "watcher",
        "false" => "hookOnly",
        _ => {
            return Err(format!(
                "invalid wait input {}. Valid inputs are watcher, hookOnly, and legacy",
                quote(value)
            ));
        }
    };
    log.push(LogLine {
        level: Level::Warn,
        message: format!(
            "--wait={value} is deprecated (boolean value) and can be replaced with --wait={instead}"
        ),
        attrs: Vec::new(),
    });
    Ok(())
}

/// Go's `time.ParseDuration`, in seconds.
pub(super) fn duration(value: &str) -> Result<f64, String> {
    let fail = |what: &str| Err(format!("time: {what} {}", quote(value)));
    let mut rest = value.strip_prefix(['-', '+']).unwrap_or(value);
    if rest == "0" {
        return Ok(0.0);
    }
    if rest.is_empty() {
        return fail("invalid duration");
    }
    let mut total: f64 = 0.0;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        // A second point begins what Go takes for the unit's place.
        let number_end = match rest.match_indices('.').nth(1) {
            Some((second, _)) => number_end.min(second),
            None => number_end,
        };
        let (digits, after) = rest.split_at_checked(number_end).unwrap_or_default();
        if !digits.bytes().any(|b| b.is_ascii_digit()) {
            return fail("invalid duration");
        }
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_end).unwrap_or_default();
        let nanos: f64 = match unit {
            "" => return fail("missing unit in duration"),
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return fail(&format!("unknown unit {} in duration", quote(unit))),
        };
        total += digits.parse::<f64>().unwrap_or(f64::INFINITY) * nanos;
        if total > 9_223_372_036_854_775_807.0 {
            return fail("invalid duration");
        }
        rest = after;
    }
    let sign = if value.starts_with('-') { -1.0 } else { 1.0 };
    Ok(sign * total / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fail_as_in_go() {
        for good in ["0", "1s", "-1.5h", "1h2m", "+3ms", ".5s", "1.s", "2µs"] {
            assert!(duration(good).is_ok(), "{good}");
        }
        for (bad, want) in [
            ("", "time: invalid duration \"\""),
            ("3", "time: missing unit in duration \"3\""),
            ("x", "time: invalid duration \"x\""),
            (".s", "time: invalid duration \".s\""),
            ("3y", "time: unknown unit \"y\" in duration \"3y\""),
            ("1..2s", "time: missing unit in duration \"1..2s\""),
            ("9999999999h", "time: invalid duration \"9999999999h\""),
        ] {
            assert_eq!(duration(bad), Err(want.to_owned()));
        }
    }

    #[test]
    fn durations_are_seconds() {
        assert_eq!(duration("1m30s"), Ok(90.0));
        assert_eq!(duration("-1.5h"), Ok(-5400.0));
        assert_eq!(duration("250ms"), Ok(0.25));
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("10"), Ok(10));
        assert_eq!(size("2Ki"), Ok(2048));
        assert!(size("2K").is_err() && size("").is_err() && size("99999999999Gi").is_err());
    }
}
