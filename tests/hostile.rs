//! Charts that mean harm end in an answer or an error: in time, in memory, without a panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::program;

/// KiB of address space for the program.
const MEMORY: u64 = 2 * 1024 * 1024;

/// Generous, because these tests also run without optimisation on slow machines.
const TIME: Duration = Duration::from_secs(60);

/// A chart with one template and values, and what its user adds to the command line.
struct Attack {
    name: &'static str,
    template: String,
    values: String,
    args: Vec<String>,
}

fn template(name: &'static str, text: impl Into<String>) -> Attack {
    Attack { name, template: text.into(), values: String::new(), args: Vec::new() }
}

fn values(name: &'static str, text: impl Into<String>) -> Attack {
    Attack { values: text.into(), ..template(name, "a: {{ .Values | toYaml | len }}") }
}

fn argument(name: &'static str, argument: impl Into<String>) -> Attack {
    Attack { args: vec!["--set".into(), argument.into()], ..values(name, "") }
}

/// A dict in a dict in a dict, and an action on it.
fn deep(name: &'static str, action: &str) -> Attack {
    let nest = "{{ $d := dict }}{{ range until 200000 }}{{ $d = dict \"a\" $d }}{{ end }}";
    template(name, format!("{nest}{{{{ {action} }}}}"))
}

/// A dict that holds itself, and an action on it.
fn cycle(name: &'static str, action: &str) -> Attack {
    template(
        name,
        format!("{{{{ $d := dict \"a\" 1 }}}}{{{{ $_ := set $d \"d\" $d }}}}{{{{ {action} }}}}"),
    )
}

/// Each define includes the next twice. Sixteen levels are 65536 includes; more are only slower.
fn include_tree() -> String {
    let defines: String = (0..16)
        .map(|n| {
            let next = format!("{{{{ include \"t{}\" . }}}}", n + 1);
            format!("{{{{ define \"t{n}\" }}}}{next}{next}{{{{ end }}}}\n")
        })
        .collect();
    format!("{defines}{{{{ define \"t16\" }}}}x{{{{ end }}}}{{{{ include \"t0\" . }}}}")
}

fn alias_bomb() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        let item = format!("*a{}", n - 1);
        text.push_str(&format!("a{n}: &a{n} [{}]\n", [item.as_str(); 9].join(", ")));
    }
    text
}

fn loops() -> Vec<Attack> {
    vec![
        template(
            "template-self",
            "{{ define \"x\" }}{{ template \"x\" . }}{{ end }}{{ template \"x\" . }}",
        ),
        Attack {
            values: "t: '{{ tpl .Values.t . }}'\n".into(),
            ..template("tpl-self", "{{ tpl .Values.t . }}")
        },
        template("include-tree", include_tree()),
        template("until", "{{ range until 2000000000 }}x{{ end }}"),
        template("until-step", "{{ untilStep 0 2000000000 1 | len }}"),
        template("seq", "{{ seq 1 1 100000000 | len }}"),
        template("range-int", "{{ range 10000000000 }}{{ end }}"),
        template("repeat", "{{ repeat 2000000000 \"x\" | len }}"),
        template("indent", "{{ indent 1000000000 \"x\" | len }}"),
        template(
            "doubled",
            "{{ $s := \"x\" }}{{ range until 40 }}{{ $s = printf \"%s%s\" $s $s }}{{ end }}",
        ),
        template(
            "concat",
            "{{ $l := list 1 }}{{ range until 34 }}{{ $l = concat $l $l }}{{ end }}",
        ),
        template("printf-width", "{{ printf \"%999999999d\" 1 | len }}"),
        template("documents", "{{ range until 100000 }}---\na: 1\n{{ end }}"),
        template("regex", "{{ regexMatch \"^(a+)+$\" (print (repeat 1000000 \"a\") \"b\") }}"),
        template("semver", "{{ semverCompare (repeat 1000000 \"1\") \"1.0.0\" }}"),
        template("nul", "a: {{ \"\\x00\" }}b"),
    ]
}

fn depths() -> Vec<Attack> {
    vec![
        template(
            "parentheses",
            format!("{{{{ {}1{} }}}}", "(".repeat(200_000), ")".repeat(200_000)),
        ),
        template("open-parentheses", format!("{{{{ {}", "(".repeat(200_000))),
        template(
            "ifs",
            format!("{}x{}", "{{ if 1 }}".repeat(100_000), "{{ end }}".repeat(100_000)),
        ),
        template(
            "else-ifs",
            format!("{{{{ if 0 }}}}{}{{{{ end }}}}", "{{ else if 0 }}x".repeat(50_000)),
        ),
        template("pipes", format!("{{{{ 1 {} }}}}", "| print ".repeat(50_000))),
        template("fields", format!("{{{{ .Values{} }}}}", ".a".repeat(100_000))),
        template(
            "json",
            "{{ fromJson (print \"{\\\"a\\\":\" (repeat 200000 \"[\")) | toJson | len }}",
        ),
        template("yaml", "{{ fromYaml (repeat 200000 \"[\") | toJson | len }}"),
        template("yaml-maps", "{{ fromYaml (repeat 200000 \"{a: \") | toJson | len }}"),
        template("braces", "{{ .Files.Glob (repeat 10000 \"{a,\") | len }}"),
        deep("deep-yaml", "toYaml $d | len"),
        deep("deep-json", "toJson $d | len"),
        deep("deep-print", "print $d | len"),
        deep("deep-copy", "deepCopy $d | len"),
        deep("deep-equal", "deepEqual $d $d"),
        deep("deep-merge", "merge (dict) $d | len"),
        cycle("cycle-print", "print $d | len"),
        cycle("cycle-yaml", "toYaml $d | len"),
        cycle("cycle-json", "toJson $d | len"),
        cycle("cycle-copy", "deepCopy $d | len"),
        cycle("cycle-merge", "merge (dict) $d $d | len"),
        values("values-sequences", format!("a: {}", "[".repeat(20_000))),
        values("values-closed", format!("a: {}{}", "[".repeat(9_000), "]".repeat(9_000))),
        values(
            "values-block",
            (0..3000).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<String>(),
        ),
        values("values-aliases", alias_bomb()),
        argument("set-depth", "a.".repeat(1000) + "b=1"),
        argument("set-index", "a[65536]".to_string() + &"[65536]".repeat(3) + "=1"),
    ]
}

/// A folder with the chart, which disappears with it.
struct Chart(PathBuf);

impl Chart {
    fn new(attack: &Attack) -> std::io::Result<Self> {
        let name = format!("bowsprit-hostile-{}-{}", std::process::id(), attack.name);
        let chart = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(chart.0.join("templates"))?;
        fs::write(chart.0.join("Chart.yaml"), "apiVersion: v2\nname: hostile\nversion: 0.1.0\n")?;
        fs::write(chart.0.join("templates/x.yaml"), &attack.template)?;
        fs::write(chart.0.join("values.yaml"), &attack.values)?;
        Ok(chart)
    }
}

impl Drop for Chart {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Why the program did not survive, if it did not.
fn attack(attack: &Attack) -> Result<(), String> {
    let chart = Chart::new(attack).map_err(|e| e.to_string())?;
    let stderr = chart.0.join("stderr");
    let start = Instant::now();
    let mut child = command(&chart.0, attack)
        .stderr(fs::File::create(&stderr).map_err(|e| e.to_string())?)
        .spawn()
        .map_err(|e| e.to_string())?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        if start.elapsed() > TIME {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("ran for more than {} s", TIME.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let stderr = fs::read(&stderr).map_err(|e| e.to_string())?;
    let stderr = String::from_utf8_lossy(&stderr);
    match status.code() {
        Some(0 | 1) if !stderr.contains("panicked at") => Ok(()),
        _ => Err(format!("{status}: {}", stderr.chars().take(300).collect::<String>())),
    }
}

/// The shell sets the limit, because std can't.
fn command(chart: &Path, attack: &Attack) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -v {MEMORY} && exec \"$0\" \"$@\"")])
        .arg(program())
        .args(["template", "demo"])
        .arg(chart)
        .args(&attack.args)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn survive(attacks: Vec<Attack>) {
    let failures: Vec<String> = attacks
        .iter()
        .filter_map(|a| attack(a).err().map(|error| format!("{}: {error}", a.name)))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        attacks.len(),
        failures.join("\n")
    );
}

#[test]
fn loops_end() {
    survive(loops());
}

#[test]
fn depths_are_survived() {
    survive(depths());
}
