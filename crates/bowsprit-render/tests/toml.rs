//! `toToml` and `fromToml`: the cases in `fixtures/vectors/toml.jsonl`, which were recorded from Helm's
//! own packages, and what no record can hold.

use bowsprit_chart::{Chart, File, Limits};
use bowsprit_render::{CompiledChart, Engine, RenderRequest};
use bowsprit_value::{Hermetic, Host, Map, Str, Timestamp, Value, json};
use std::error::Error;
use std::sync::Arc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn chart(files: Map) -> Result<CompiledChart> {
    let chart_file = "apiVersion: v2\nname: chart\nversion: 0.1.0\n";
    let mut all = vec![File::new("Chart.yaml", chart_file)];
    for (name, text) in files.entries().iter() {
        let text = text.as_str().ok_or("a file is no text")?;
        all.push(File::new(name.to_string(), text.as_bytes().to_vec()));
    }
    let chart = Chart::from_files(all, &Limits::default())?.output;
    Ok(Engine::new().compile(Arc::new(chart)))
}

fn map(case: &Map, key: &str) -> Map {
    case.get(key.as_bytes()).and_then(|v| v.as_map().cloned()).unwrap_or_default()
}

fn text(case: &Map, key: &str) -> Option<Str> {
    case.get(key.as_bytes()).and_then(|v| v.as_str().cloned())
}

fn render(case: &Map, host: &dyn Host) -> Result<std::result::Result<Vec<u8>, String>> {
    let request = RenderRequest::new("release-name", "default").values(map(case, "values"));
    let template = text(case, "template").ok_or("a case without template")?;
    let chart = chart(map(case, "files"))?;
    let rendered = chart.render_text("x.yaml", template.as_bytes(), &request, host);
    Ok(rendered.map(|r| r.output).map_err(|error| error.to_string()))
}

fn check(line: &[u8]) -> Result<Option<String>> {
    let case = json::decode_map(line)?;
    let answer = render(&case, &Hermetic::default())?;
    let agrees = match &answer {
        Ok(out) => text(&case, "want").is_some_and(|want| want.as_bytes() == out),
        Err(error) => text(&case, "error").is_some_and(|want| want == error.as_str()),
    };
    let shown = answer.map(|out| Str::from(out).to_string());
    Ok((!agrees).then(|| format!("{}\n  got {shown:?}", Str::from(line))))
}

#[test]
fn answers_as_the_go_library() -> Result<()> {
    let cases = bowsprit_testkit::fixture("vectors/toml.jsonl")?;
    let mut wrong = Vec::new();
    for line in cases.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        wrong.extend(check(line)?);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// Renders a template that finds a text in `.Values.t`.
fn render_with(template: &str, t: &str, host: &dyn Host) -> Result<String> {
    let entry = |k: &'static str, v: Value| (Str::from_static(k), v);
    let values = Map::from_entries([entry("t", t.into())]);
    let case =
        Map::from_entries([entry("template", template.into()), entry("values", values.into())]);
    Ok(match render(&case, host)? {
        Ok(out) => String::from_utf8(out)?,
        Err(error) => error,
    })
}

/// A host east of Greenwich.
struct Abroad;

impl Host for Abroad {
    fn now(&self) -> Timestamp {
        Timestamp { seconds: 1_700_000_000, nanos: 0 }
    }

    fn fill_random(&self, buf: &mut [u8]) {
        buf.fill(0);
    }

    fn time_zone(&self) -> String {
        "Asia/Kolkata".to_owned()
    }
}

#[test]
fn local_times_are_read_in_the_hosts_zone_and_written_in_utc() -> Result<()> {
    let template = "{{ $t := fromToml .Values.t }}{{ $t.a }} {{ toToml $t }}";
    let got = render_with(template, "a = 1979-05-27T07:32:00\nb = 1979-05-27", &Abroad)?;
    let time = "1979-05-27 07:32:00 +0530 datetime-local";
    assert_eq!(got, format!("{time} a = 1979-05-27T02:02:00\nb = 1979-05-26\n"));
    Ok(())
}

#[test]
fn deep_documents_need_no_stack() -> Result<()> {
    const DEPTH: usize = 50_000;
    let host = Hermetic::default();
    let both = "{{ fromToml .Values.t | toToml | len }}";
    let arrays = format!("a = {}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    assert_eq!(render_with(both, &arrays, &host)?, (2 * DEPTH + 5).to_string());
    let read = "{{ fromToml .Values.t | keys }}";
    let tables = format!("a = {}1{}", "{a=".repeat(DEPTH), "}".repeat(DEPTH));
    assert_eq!(render_with(read, &tables, &host)?, "[a]");
    let key = format!("[{}a]", "a.".repeat(DEPTH));
    assert_eq!(render_with(read, &key, &host)?, "[a]");
    assert_eq!(render_with(read, &"[".repeat(DEPTH), &host)?, "[Error]");
    Ok(())
}

#[test]
fn a_table_that_contains_itself_is_refused() -> Result<()> {
    let host = Hermetic::default();
    for cycle in ["$d", "(list $d)", "(list 1 $d)"] {
        let template = format!("{{{{ $d := dict }}}}{{{{ $_ := set $d \"a\" {cycle} }}}}");
        let got = render_with(&format!("{template}{{{{ toToml $d }}}}"), "", &host)?;
        assert!(got.ends_with("error calling toToml: cyclic value"), "{got}");
    }
    Ok(())
}
