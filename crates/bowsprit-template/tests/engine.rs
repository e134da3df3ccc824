//! The machine from outside: what bounds it, what watches it, and what it must survive.

#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![allow(clippy::disallowed_methods, reason = "threads are what one of the tests is about")]

use bowsprit_template::{Functions, INCLUDE, Observer, Run, Site, TPL, TemplateSet};
use bowsprit_testkit::Numbers;
use bowsprit_value::{Func, Hermetic, Limits, Map, Meter, Str, Type, Value};
use std::sync::Arc;

fn set(templates: &[(&str, &str)]) -> TemplateSet {
    let mut functions = Functions::builtins();
    functions.add(&INCLUDE);
    functions.add(&TPL);
    let mut set = TemplateSet::new(Arc::new(functions));
    for (name, text) in templates {
        set.parse(name, text.as_bytes()).unwrap();
    }
    set
}

fn data() -> Value {
    let nested = Map::from_entries([(Str::from("b"), Value::from("deep"))]);
    Value::Map(Map::from_entries([
        (Str::from("a"), Value::Map(nested)),
        (Str::from("l"), Value::list(vec![Value::from("x"), Value::Nil])),
        (Str::from("t"), Value::from("{{ tpl .t . }}")),
    ]))
}

/// The output, or the text of the error.
fn run_with(set: &TemplateSet, limits: Limits) -> String {
    let (host, meter) = (Hermetic::default(), Meter::new(limits));
    let mut run = Run::new(set, &host, &meter);
    match run.execute(b"t", data()) {
        Ok(out) => String::from_utf8_lossy(out).into_owned(),
        Err(error) => error.to_string(),
    }
}

fn run(text: &str) -> String {
    run_with(&set(&[("t", text)]), Limits::default())
}

#[test]
fn the_language_prints_what_go_prints() {
    for (text, want) in [
        ("{{ .a.b }}", "deep"),
        ("{{- if .a }} yes {{- else }} no {{ end -}} !", " yes!"),
        ("{{ if .no }}a{{ else if .a.no }}b{{ else if .a }}c{{ end }}", "c"),
        ("{{ range $i, $e := .l }}{{ $i }}:{{ $e }};{{ else }}none{{ end }}", "0:x;1:<no value>;"),
        ("{{ with .nope }}a{{ else with .a }}{{ .b }}{{ end }}", "deep"),
        ("{{ range .l }}{{ continue }}x{{ end }}{{ range .l }}{{ . }}{{ break }}{{ end }}", "x"),
        (
            "{{ define \"d\" }}[{{ . }}]{{ end }}{{ template \"d\" 1 }}{{ include \"d\" 2 }}",
            "[1][2]",
        ),
        ("{{ block \"d\" .a }}{{ .b }}{{ end }}", "deep"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ 1 | printf \"%d-%v\" 2 }}", "2-1"),
        ("{{ and 1 0 (index .l 7) }}{{ \"x\" | or \"\" }}", "0x"),
        ("{{ range 3 }}{{ . }}{{ end }}{{ range $i := 0 }}{{ else }}z{{ end }}", "012z"),
        // What one branch declares, the other does not see; what the head declares, both do.
        (
            "{{ $x := 1 }}{{ if false }}{{ $x := 2 }}{{ else }}{{ $x }}{{ $x = 3 }}{{ end }}{{ $x }}",
            "13",
        ),
        ("{{ $x := 1 }}{{ if 0 }}{{ $x := $x }}{{ else if eq $x 1 }}{{ $x }}{{ end }}", "1"),
        ("{{ $x := 1 }}{{ with $x := 0 }}{{ $x := 2 }}{{ else }}{{ $x }}{{ end }}{{ $x }}", "01"),
        ("{{ $x := 1 }}{{ range 0 }}{{ $x := 2 }}{{ else }}{{ $x }}{{ end }}", "1"),
        (
            "{{ if $h := 0 }}{{ else if $x := 0 }}{{ $h := 2 }}{{ else }}{{ $h }}{{ $x }}{{ end }}",
            "00",
        ),
        (
            "{{ tpl \"{{ .a.b }}{{ define \\\"q\\\" }}Q{{ end }}{{ include \\\"q\\\" . }}\" . }}",
            "deepQ",
        ),
        ("{{ (.nope).x }}{{ 1e3 }}{{ 1i }}{{ 'a' }}", "<no value>1000(0+1i)97"),
    ] {
        assert_eq!(run(text), want, "{text}");
    }
}

#[test]
fn errors_say_where() {
    for (text, want) in [
        (
            "x\n {{ .nope.b }}",
            "template: t:2:9: executing \"t\" at <.nope.b>: nil pointer evaluating interface {}.b",
        ),
        (
            "{{ index .l   5 }}",
            "template: t:1:3: executing \"t\" at <index .l 5>: error calling index: index out of range: 5",
        ),
        (
            "{{ template \"q\" .a }}",
            "template: t:1:12: executing \"t\" at <{{template \"q\" .a}}>: template \"q\" not defined",
        ),
        (
            "{{ define \"d\" }}{{ .x.y }}{{ end }}{{ include \"d\" .a }}",
            "template: t:1:38: executing \"t\" at <include \"d\" .a>: error calling include: template: t:1:21: executing \"d\" at <.x.y>: nil pointer evaluating interface {}.y",
        ),
    ] {
        assert_eq!(run(text), want, "{text}");
    }
}

#[test]
fn nesting_needs_no_native_stack() {
    const DEEP: usize = 100_000;
    let ifs = format!("{}x{}", "{{ if 1 }}".repeat(DEEP), "{{ end }}".repeat(DEEP));
    assert_eq!(run(&ifs), "x");
    let parens = |n: usize| format!("{{{{ {}1{} }}}}", "(".repeat(n), ")".repeat(n));
    assert_eq!(run(&parens(9_999)), "1");
    let mut set = set(&[]);
    let error = set.parse("t", parens(200_000).as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "template: t:1: max expression depth exceeded");
    let recursion = "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}";
    assert!(run(recursion).ends_with("exceeded maximum template depth (100000)"));
    let recursion = "{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}";
    assert!(run(recursion).ends_with(
        "rendering template has a nested reference name: r: unable to execute template"
    ));
}

#[test]
fn every_meter_stops_a_run() {
    let unlimited = Limits::default();
    for (limits, text, want) in [
        (
            Limits { steps: 1_000, ..unlimited },
            "{{ range 10000000000 }}{{ end }}",
            "too many steps",
        ),
        (
            Limits { output: 1_000, ..unlimited },
            "{{ range 10000000000 }}xx{{ end }}",
            "too much output",
        ),
        (Limits { depth: 50, ..unlimited }, "{{ tpl .t . }}", "nested too deeply"),
        (
            Limits { bytes: 10_000, ..unlimited },
            "{{ $s := \"xxxxxxxxxxxxxxxx\" }}{{ range 40 }}{{ $s = printf \"%s%s\" $s $s }}{{ end }}",
            "too much memory",
        ),
    ] {
        let got = run_with(&set(&[("t", text)]), limits);
        assert!(got.contains("limit reached") && got.ends_with(want), "{text}: {got}");
    }
}

#[derive(Default)]
struct Notes(Vec<String>);

impl Observer for Notes {
    fn read(&mut self, _: &Map, key: &[u8], value: Option<&Value>) {
        let found = if value.is_some() { "" } else { " missing" };
        self.0.push(format!("read {}{found}", String::from_utf8_lossy(key)));
    }

    fn wrote(&mut self, start: usize, end: usize, site: Site<'_>) {
        let text = String::from_utf8_lossy(&site.unit.source()[site.start..site.end]);
        self.0.push(format!("wrote {start}..{end} from {text}"));
    }

    fn left(&mut self, start: usize, captured: bool, _: &[u8]) {
        self.0.push(format!("left {start} {captured}"));
    }
}

#[test]
fn an_observer_learns_reads_and_origins() {
    let set = set(&[("t", "a{{ .a.b }}{{ include \"d\" . }}"), ("d", "{{ .no }}")]);
    let (host, meter) = (Hermetic::default(), Meter::default());
    let mut notes = Notes::default();
    Run::new(&set, &host, &meter).observe(&mut notes).execute(b"t", data()).unwrap();
    let want = [
        "wrote 0..1 from a",
        "read a",
        "read b",
        "wrote 1..5 from .a.b",
        "read no missing",
        "wrote 5..15 from .no",
        "left 5 true",
        "wrote 5..15 from .",
        "left 0 false",
    ];
    assert_eq!(notes.0, want);
}

#[test]
fn one_set_serves_many_threads() {
    let set = set(&[
        ("t", "{{ range .l }}{{ include \"d\" $ }}{{ end }}"),
        ("d", "{{ tpl \"{{ .a.b }}\" . }}"),
    ]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    assert_eq!(run_with(&set, Limits::default()), "deepdeep");
                }
            });
        }
    });
}

/// Sets a key of a map, as `set` does.
static PUT: Func = Func::pure("put", &[Type::Any, Type::String, Type::Any], Type::String, |args| {
    let (key, value) = (args.str(1).clone(), args.take(2));
    if let Value::Map(map) = args.get(0) {
        args.meter().history().wrote(map);
        map.insert(key, value);
    }
    Ok(Value::from(""))
});

#[test]
fn a_fork_is_read_and_written_like_a_map_of_its_own() {
    fn tree(depth: usize) -> Value {
        let below =
            |key: &str| (Str::from(key), if depth > 0 { tree(depth - 1) } else { Value::int(1) });
        let item =
            Value::list(vec![Value::Map(Map::from_entries([(Str::from("a"), Value::int(2))]))]);
        let leaf = (Str::from("n"), Value::from("leaf"));
        let entries =
            [below("a"), below("b"), leaf, (Str::from("l"), item), (Str::from("z"), Value::Nil)];
        Value::Map(Map::from_entries(entries))
    }
    let mut functions = Functions::builtins();
    functions.add(&PUT);
    let functions = Arc::new(functions);
    let (host, mut numbers) = (Hermetic::default(), Numbers::new(7));
    for _ in 0..2_000 {
        let path = |numbers: &mut Numbers| -> String {
            (0..=numbers.below(3)).map(|_| [".a", ".b"][numbers.below(2)]).collect()
        };
        let text: String = (0..6)
            .map(|_| {
                let (one, two) = (path(&mut numbers), path(&mut numbers));
                match numbers.below(7) {
                    0 => format!("{{{{ {one}.n }}}} {{{{ {one} }}}};"),
                    1 => format!("{{{{ if {one}.z }}}}z{{{{ else if {one} }}}}y{{{{ end }}}};"),
                    2 => format!("{{{{ put {one} \"n\" \"new\" }}}}"),
                    3 => format!("{{{{ put {one} \"a\" {two} }}}}"),
                    4 => format!("{{{{ with {one} }}}}{{{{ put . \"z\" 3 }}}}{{{{ .n }}}}{{{{ end }}}};"),
                    5 => format!("{{{{ range {one}.l }}}}{{{{ put . \"a\" 4 }}}}{{{{ .a }}}}{{{{ end }}}};"),
                    _ => format!("{{{{ $x := {one} }}}}{{{{ $x.n }}}}{{{{ $x.l }}}}{{{{ if $x.b.z }}}}w{{{{ end }}}};"),
                }
            })
            .collect();
        let mut set = TemplateSet::new(Arc::clone(&functions));
        set.parse("t", text.as_bytes()).unwrap();
        let run = |data: Value| {
            let meter = Meter::new(Limits::default());
            let mut run = Run::new(&set, &host, &meter);
            let outcome = run.execute(b"t", data);
            outcome.map(|out| String::from_utf8_lossy(out).into_owned()).map_err(|e| e.to_string())
        };
        let base = tree(4);
        let fork = || Value::Map(base.as_map().unwrap().fork());
        let want = run(tree(4));
        assert_eq!(run(fork()), want, "{text}");
        // Nothing came through to the base, nor to another fork of it.
        assert_eq!(run(fork()), want, "{text}");
        // A fork of a fork, of which something was written.
        let first = base.as_map().unwrap().fork();
        let own = tree(4);
        for map in [&first, own.as_map().unwrap()] {
            let Some(Value::Map(below)) = map.get(b"a") else { panic!("{text}") };
            below.insert("n".into(), Value::from("early"));
            below.insert("b".into(), tree(2));
        }
        let want = run(own);
        for _ in 0..2 {
            assert_eq!(run(Value::Map(first.fork())), want, "{text}");
        }
    }
}
