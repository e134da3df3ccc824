//! Results of `include` that are used again: charts that change what helpers read, at random, give the same
//! as where everything is run.
#![allow(clippy::unwrap_used)]

use bowsprit_chart::{Chart, File, Limits};
use bowsprit_render::{CompiledChart, Engine, RenderRequest};
use bowsprit_template::Observer;
use bowsprit_testkit::Numbers;
use bowsprit_value::{Hermetic, Host, Timestamp};
use std::fmt::Write as _;
use std::sync::Arc;

/// How many charts are tried.
const SEEDS: u64 = 1200;

const HELPERS: usize = 7;

/// What helpers do. `@` is the name of a helper further down, `#` a number.
const READS: &[&str] = &[
    "[{{ .n }} {{ .m.k }}]",
    "[{{ .ctx.Values.a }} {{ .ctx.Values.deep.x.y }}]",
    "{{ include \"@\" . }}",
    "{{ include \"@\" . | len }}",
    "{{ include \"@\" (dict \"ctx\" .ctx \"m\" .m \"n\" #) }}",
    "{{ include \"@\" (dict \"ctx\" .ctx \"m\" .ctx.Values.m \"n\" .n) }}",
    "{{ include \"@\" (dict \"ctx\" .ctx \"m\" (dict \"k\" #) \"n\" .n) }}",
    "{{ include \"@\" (dict \"ctx\" .ctx \"m\" (first (list .m)) \"n\" #) }}",
    "{{ toJson .m }}",
    "{{ keys .m | sortAlpha | join \",\" }}",
    "{{ with .m.d }}{{ toJson . }}{{ end }}",
    "{{ range $k, $v := .ctx.Values.deep }}{{ $k }}{{ include \"@\" (dict \"ctx\" $.ctx \"m\" $v \"n\" #) }}{{ end }}",
    "{{ with .ctx.Values.list }}{{ range . }}{{ .k }}{{ end }}{{ end }}",
    "{{ tpl \"<{{ .n }}{{ include `@` . }}>\" . }}",
    "{{ tpl .ctx.Values.text . }}",
    "{{ tpl \"{{ define `@` }}own{{ .n }}{{ end }}{{ include `@` . }}\" . }}",
    "{{ if hasKey .ctx \"Template\" }}t{{ end }}{{ len .ctx }}",
];

const WRITES: &[&str] = &[
    "{{ $_ := set . \"n\" (add .n 1) }}",
    "{{ $_ := set .m \"k\" (print .n \"m\") }}",
    "{{ $_ := unset .m \"k\" }}",
    "{{ $_ := set .m \"d\" (dict \"e\" .n) }}",
    "{{ with .m.d }}{{ $_ := set . \"e\" \"f\" }}{{ end }}",
    "{{ $_ := set .ctx.Values \"a\" (print .n \"a\") }}",
    "{{ $_ := set .ctx.Values.deep.x \"y\" .n }}",
    "{{ $_ := set .ctx.Values.m \"k\" .n }}",
    "{{ $_ := set .ctx.Values \"text\" (print \"{{ .n }}t\" .n) }}",
    "{{ $_ := set (index .ctx.Values.list 0) \"k\" .n }}",
    "{{ $_ := set .ctx.Release \"Name\" (print \"r\" .n) }}",
    "{{ $_ := set .ctx.Values.global \"g\" .n }}",
    "{{ $_ := mergeOverwrite .ctx.Values (dict \"deep\" (dict \"x\" (dict \"y\" (print \"o\" .n)))) }}",
    "{{ $_ := merge .m (dict \"z\" .n \"d\" (dict \"g\" .n)) }}",
];

const OWN: &[&str] = &[
    "{{ $d := dict \"k\" .n }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $d \"n\" #) }}{{ $_ := set $d \"k\" \"x\" }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $d \"n\" #) }}{{ $d.k }}",
    "{{ $d := dict \"ctx\" .ctx \"m\" .m \"n\" # }}{{ include \"@\" $d }}{{ $_ := set $d \"n\" (add $d.n 1) }}{{ include \"@\" $d }}",
    "{{ $c := deepCopy (dict \"k\" .n \"d\" (dict \"e\" 1)) }}{{ $_ := set $c.d \"e\" .n }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $c \"n\" #) }}{{ $_ := set $c.d \"e\" \"w\" }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $c \"n\" #) }}",
    "{{ $y := fromYaml \"k: {z: 1}\" }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $y \"n\" #) }}{{ $_ := set $y.k \"z\" .n }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $y \"n\" #) }}",
    "{{ $d := merge (dict \"q\" (dict \"k\" .n)) (dict \"q\" (dict \"r\" #)) }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $d.q \"n\" #) }}{{ $_ := merge $d.q (dict \"s\" .n) }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $d.q \"n\" #) }}",
    "{{ $d := dict }}{{ range list 1 2 }}{{ $d = include \"@\" (dict \"ctx\" $.ctx \"m\" (dict \"k\" .) \"n\" #) | dict \"v\" | merge $d }}{{ end }}{{ toJson $d }}",
    "{{ $d := dict \"d\" (dict \"e\" 1) }}{{ $i := $d.d }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $d \"n\" #) }}{{ $_ := set $i \"e\" .n }}{{ include \"@\" (dict \"ctx\" .ctx \"m\" $d \"n\" #) }}",
];

/// What is another in each file, and what reaches it.
const FILES: &[&str] = &[
    "{{ .ctx.Template.Name }}",
    "{{ (get .ctx \"Template\").BasePath }}",
    "{{ toJson .ctx.Template }}",
    "{{ with .ctx.Subcharts.sub }}{{ with .Template }}{{ .Name }}{{ end }}{{ len . }}{{ end }}",
    "{{ $_ := set .ctx.Template \"w\" (print .n) }}",
    "{{ .ctx.Template.w }}",
    "{{ with .ctx.Subcharts.sub }}{{ with .Template }}{{ $_ := set . \"w\" \"s\" }}{{ end }}{{ end }}",
    "{{ with .ctx.Subcharts.sub }}{{ with .Template }}{{ .w }}{{ end }}{{ end }}",
    "{{ $_ := set .ctx.Values \"alias\" .ctx }}",
    "{{ $_ := set .ctx.Values.global \"alias\" .ctx }}",
    "{{ with .ctx.Values.alias }}{{ .Template.Name }}{{ end }}",
    "{{ with .ctx.Values.global.alias }}{{ .Template.Name }}{{ end }}",
    "{{ $_ := set .ctx.Values \"held\" .ctx.Template }}",
    "{{ with .ctx.Values.held }}{{ .Name }}{{ .w }}{{ end }}",
    "{{ randAlpha 3 }}",
    "{{ now | date \"05\" }}",
    "{{ with lookup \"v1\" \"Secret\" \"a\" \"b\" }}{{ .x }}{{ end }}",
];

fn statement(numbers: &mut Numbers, helper: usize, mix: [usize; 4]) -> String {
    let at = numbers.below(mix.iter().sum());
    let kinds = [READS, WRITES, OWN, FILES];
    let mut up_to = 0;
    let kind = mix.iter().position(|share| {
        up_to += share;
        at < up_to
    });
    let kind = kinds[kind.unwrap_or(0)];
    let mut text = kind[numbers.below(kind.len())].to_owned();
    if helper + 1 >= HELPERS && text.contains('@') {
        return "[{{ .n }}]".to_owned();
    }
    while text.contains('@') {
        let below = helper + 1 + numbers.below(HELPERS - helper - 1);
        text = text.replacen('@', &format!("h{below}"), 1);
    }
    while text.contains('#') {
        text = text.replacen('#', &numbers.below(3).to_string(), 1);
    }
    text
}

fn body(numbers: &mut Numbers, helper: usize, mix: [usize; 4]) -> String {
    (0..1 + numbers.below(4)).map(|_| statement(numbers, helper, mix)).collect()
}

const VALUES: &str = "a: 1\nm: {k: 1}\ndeep: {x: {y: 1}, z: {k: 2}}\nlist: [{k: 1}, {k: 2}]\n\
    text: '{{ .n }}'\nglobal: {g: 1}\n";

fn chart(numbers: &mut Numbers) -> Chart {
    // Some write much, some hardly anything.
    let mix = [[8, 2, 3, 2], [12, 1, 4, 1], [10, 0, 4, 3], [6, 4, 4, 4]][numbers.below(4)];
    let mut files = vec![
        ("Chart.yaml".to_owned(), "apiVersion: v2\nname: top\nversion: 0.1.0\n".to_owned()),
        ("values.yaml".to_owned(), VALUES.to_owned()),
        (
            "charts/sub/Chart.yaml".to_owned(),
            "apiVersion: v2\nname: sub\nversion: 0.1.0\n".to_owned(),
        ),
        ("charts/sub/values.yaml".to_owned(), VALUES.to_owned()),
    ];
    let mut helpers = String::new();
    for helper in 0..HELPERS {
        let text = body(numbers, helper, mix);
        let _ = writeln!(helpers, "{{{{ define \"h{helper}\" }}}}{text}{{{{ end }}}}");
    }
    files.push(("templates/_helpers.tpl".to_owned(), helpers));
    for number in 0..6 {
        let mut text = String::new();
        for _ in 0..3 {
            let helper = numbers.below(3);
            let n = numbers.below(2);
            let _ = write!(
                text,
                "{{{{ include \"h{helper}\" (dict \"ctx\" . \"m\" .Values.m \"n\" {n}) }}}}"
            );
        }
        // Deeper ones are run first, so that those of both charts come in turn.
        let folders = ["templates", "templates/a/b", "templates/a/b/c", "charts/sub/templates"];
        let folder = [folders[numbers.below(4)], "charts/sub/templates/a"][numbers.below(2)];
        files.push((format!("{folder}/{number}.txt"), text));
    }
    let files = files.into_iter().map(|(name, text)| File::new(name, text)).collect();
    Chart::from_files(files, &Limits::default()).unwrap().output
}

struct Watching;

impl Observer for Watching {}

fn rendered(chart: &CompiledChart, host: &dyn Host, all: bool) -> Result<Vec<String>, String> {
    let request = RenderRequest::new("r", "n");
    let mut observer = Watching;
    let observer = if all { Some(&mut observer as &mut dyn Observer) } else { None };
    let files = chart.render_observed(&request, host, observer);
    let files = files.map_err(|error| error.to_string())?.output;
    Ok(files.iter().map(|(name, text)| format!("{name}: {}", text.escape_ascii())).collect())
}

#[test]
fn what_is_used_again_is_what_would_be_made_again() {
    let (mut good, mut failed) = (0, 0);
    for seed in 0..SEEDS {
        let chart = Arc::new(chart(&mut Numbers::new(seed)));
        let engine = Engine::builder();
        let mut limits = bowsprit_value::Limits::default();
        // Limits count alike what is run and what is not.
        if seed % 4 == 0 {
            limits.steps = 100 + seed % 4000;
        }
        let compiled = engine.limits(limits).build().compile(chart);
        let host = || Hermetic::new(seed, Timestamp::default());
        let all = rendered(&compiled, &host(), true);
        assert_eq!(rendered(&compiled, &host(), false), all, "seed {seed}");
        if all.is_ok() { good += 1 } else { failed += 1 }
    }
    assert!(good > failed / 2, "{good} rendered, {failed} failed");
}

/// The files of both charts come in turn, the subchart's first, of the chart's own two behind it.
fn in_turn(own: [&str; 4], subs: [&str; 3]) -> Vec<String> {
    let mut files = vec![
        ("Chart.yaml", "apiVersion: v2\nname: top\nversion: 0.1.0\n"),
        ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n"),
        (
            "templates/_peek.tpl",
            "{{ define \"peek\" }}{{ with .Subcharts.sub }}{{ hasKey . \"Template\" }}\
             {{ with .Template }}{{ base .Name }}{{ .w }}{{ end }}{{ end }}{{ end }}",
        ),
    ];
    let folders = [
        "templates/a/b/c/2.txt",
        "templates/a/b/c/1.txt",
        "templates/a/b/4.txt",
        "templates/6.txt",
    ];
    files.extend(folders.into_iter().zip(own));
    let folders = [
        "charts/sub/templates/a/b/1.txt",
        "charts/sub/templates/a/3.txt",
        "charts/sub/templates/5.txt",
    ];
    files.extend(folders.into_iter().zip(subs));
    let files = files.into_iter().map(|(name, text)| File::new(name, text)).collect();
    let chart = Chart::from_files(files, &Limits::default()).unwrap().output;
    let compiled = Engine::builder().build().compile(Arc::new(chart));
    let host = Hermetic::default();
    let files = rendered(&compiled, &host, false).unwrap();
    assert_eq!(rendered(&compiled, &host, true).unwrap(), files);
    let text = |file: &String| file.split_once(": ").unwrap().1.to_owned();
    // Names of upper folders come first, and are run last.
    files.iter().rev().filter(|file| file.starts_with("top/templates/")).map(text).collect()
}

const PEEK: &str = "{{ include \"peek\" . }}";

#[test]
fn another_charts_template_is_seen_to_change() {
    let looks = "{{ .Template.Name }}";
    let seen = in_turn([PEEK; 4], [looks; 3]);
    assert_eq!(seen, ["true1.txt", "true1.txt", "true3.txt", "true5.txt"]);
    assert_eq!(in_turn([PEEK; 4], ["-"; 3]), seen);
    assert_eq!(in_turn([PEEK; 4], [looks, "-", looks]), seen);
}

#[test]
fn what_is_written_to_a_template_is_there_until_the_next_one() {
    let writes = "{{ $_ := set .Template \"w\" \"x\" }}";
    let seen = in_turn([PEEK; 4], [writes, "-", "-"]);
    assert_eq!(seen, ["true1.txtx", "true1.txtx", "true3.txt", "true5.txt"]);
    let from_above = "{{ $_ := set .Subcharts.sub.Template \"w\" \"y\" }}{{ include \"peek\" . }}";
    let seen = in_turn([from_above, PEEK, PEEK, PEEK], ["-"; 3]);
    assert_eq!(seen, ["true1.txty", "true1.txty", "true3.txt", "true5.txt"]);
}
