//! Makes requests of random numbers, an area at a time.

mod calls;
mod charts;
mod formats;
mod schemas;
mod template;
mod values;
mod yaml;

use serde_json::Value;

use super::rng::Rng;

/// A field of inputs.
pub(super) struct Area {
    pub(super) name: &'static str,
    pub(super) make: fn(&mut Rng) -> Value,
}

const fn area(name: &'static str, make: fn(&mut Rng) -> Value) -> Area {
    Area { name, make }
}

pub(super) const AREAS: &[Area] = &[
    area("template", template::request),
    area("functions", calls::request),
    area("printf", formats::printf),
    area("toyaml", values::to_yaml),
    area("tojson", values::to_json),
    area("fromyaml", yaml::request),
    area("set", charts::set),
    area("values", charts::values),
    area("semver", formats::semver),
    area("dates", formats::dates),
    area("regex", formats::regex),
    area("manifests", charts::manifests),
    area("schema", schemas::request),
];

/// A text as a Go literal that holds it.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_area_makes_the_same_requests_again() {
        for area in AREAS {
            for index in 0..20 {
                let first = (area.make)(&mut Rng::of(7, area.name, index));
                let again = (area.make)(&mut Rng::of(7, area.name, index));
                assert_eq!(first, again, "{}", area.name);
                assert!(first["kind"].is_string(), "{}", area.name);
            }
        }
    }
}
