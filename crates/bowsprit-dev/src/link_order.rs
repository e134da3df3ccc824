//! `link-order`: which functions of the program lie side by side.
//!
//! The program has some 25 MB of code, of which a render runs one and a half, all over it: each piece costs a
//! page fault and stays in memory with what lies around it. This runs the program under callgrind, takes the
//! functions that were called, and writes a linker script with them, which the build of the program uses.
//! A name that the linker does not find is skipped, so the script need not be new, but it should be written
//! again when much has changed.
//!
//! ```text
//! cargo rustc --release -p bowsprit-cli --bin bowsprit -- -C strip=none
//! bowsprit-dev link-order --bowsprit target/release/bowsprit
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bowsprit_testkit::repository;

use crate::TaskResult;

const USAGE: &str = "usage: bowsprit-dev link-order [--bowsprit PATH] [--charts FOLDER]";
const SCRIPT: &str = "crates/bowsprit-cli/order.ld";
const HEAD: &str = "\
/* Functions that renders call, side by side; written by `bowsprit-dev link-order`. */
SECTIONS
{
  .text.together :
  {
";
const TAIL: &str = "  }\n}\nINSERT BEFORE .text;\n";

const CHARTS: &[&str] =
    &["podinfo-6.14.1.tgz", "postgresql-17.1.0.tgz", "kube-prometheus-stack-88.5.3.tgz"];

/// Writes the linker script.
pub(crate) fn run(args: &[String]) -> TaskResult {
    let root = repository();
    let mut program = root.join("target/release/bowsprit");
    // The shared corpus lies beside the checkout.
    let shared = std::env::var_os("SHARED").map_or(root.join("../shared"), PathBuf::from);
    let mut charts = shared.join("corpus/charts");
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().map(PathBuf::from).ok_or(USAGE);
        match arg.as_str() {
            "--bowsprit" => program = value()?,
            "--charts" => charts = value()?,
            _ => return Err(USAGE.into()),
        }
    }
    let functions = functions(&program)?;
    if functions.len() < 1000 {
        return Err(format!("{}: has no names; build it with -C strip=none", program.display()));
    }
    let home = root.join("target/tmp/link-order");
    let called = called(&program, &charts, &home)?;
    let (script, bytes) = script(&functions, &called);
    let path = root.join(SCRIPT);
    fs::write(&path, script).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(format!("link-order: {} functions called, {bytes} bytes; {SCRIPT} written", called.len()))
}

/// The functions of a program and their sizes.
fn functions(program: &Path) -> Result<BTreeMap<String, u64>, String> {
    let listing = output(Command::new("nm").args(["--print-size", "--defined-only"]).arg(program))?;
    let function = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (size, kind, name) = (words.next()?, words.next()?, words.next()?);
        let is_code = matches!(kind, "t" | "T" | "w" | "W");
        let size = u64::from_str_radix(size, 16).ok().filter(|_| is_code)?;
        Some((name.to_string(), size))
    };
    Ok(listing.lines().filter_map(function).collect())
}

/// The functions that the program calls for what people do most, those that everybody needs first.
fn called(program: &Path, charts: &Path, home: &Path) -> Result<Vec<String>, String> {
    let mut runs = vec![vec!["version".to_string()]];
    let charts = CHARTS.iter().map(|chart| charts.join(chart).to_string_lossy().into_owned());
    let charts: Vec<String> = charts.collect();
    let template = |chart: &String| ["template", "demo", chart].map(ToString::to_string).to_vec();
    // From the third run on, charts come from the cache; those runs go before the others.
    let renders = charts.iter().map(template);
    runs.extend(renders.clone().chain(renders.clone()).chain(renders));
    runs.extend(charts.iter().map(|chart| vec!["lint".to_string(), chart.clone()]));
    let _ = fs::remove_dir_all(home);
    fs::create_dir_all(home).map_err(|e| format!("{}: {e}", home.display()))?;
    let mut profiles = Vec::new();
    for run in &runs {
        eprintln!("{}", run.join(" "));
        let profile = home.join("profile");
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--demangle=no"]);
        valgrind.arg(format!("--callgrind-out-file={}", profile.display()));
        valgrind.env("HOME", home).env_remove("XDG_CACHE_HOME").env_remove("HELM_CACHE_HOME");
        valgrind.arg(program).args(run);
        output(&mut valgrind)?;
        let profile = fs::read(&profile).map_err(|e| format!("{}: {e}", profile.display()))?;
        profiles.push(String::from_utf8_lossy(&profile).into_owned());
    }
    let third = 1 + 2 * CHARTS.len();
    profiles[1..third + CHARTS.len()].rotate_left(2 * CHARTS.len());
    let mut seen = HashSet::new();
    let names = profiles.iter().flat_map(|profile| profile.lines().filter_map(name_in));
    Ok(names.filter(|name| seen.insert(*name)).map(ToString::to_string).collect())
}

/// The function that a line of a profile introduces.
fn name_in(line: &str) -> Option<&str> {
    let named = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn="))?;
    let name = named.split_once(") ")?.1;
    // A recursion has a number of its own.
    Some(name.split('\'').next().unwrap_or(name))
}

/// The script, and how many bytes the functions have that it names.
fn script(functions: &BTreeMap<String, u64>, called: &[String]) -> (String, u64) {
    let called = || called.iter().filter_map(|name| Some((name, *functions.get(name)?)));
    let mut of_pattern: HashMap<String, (u64, u64)> = HashMap::new();
    for (name, size) in functions {
        of_pattern.entry(pattern(name)).or_default().0 += size;
    }
    for (name, size) in called() {
        of_pattern.entry(pattern(name)).or_default().1 += size;
    }
    let mut script = HEAD.to_string();
    let mut seen = HashSet::new();
    for (name, _) in called() {
        let mut pattern = pattern(name);
        if of_pattern.get(&pattern).is_none_or(|(all, called)| all != called) {
            // Others go by the same name, as instances of generic functions do.
            pattern = format!("{}*", without_module(name));
        }
        if seen.insert(pattern.clone()) {
            // The second is where the compiler puts what it thinks is cold.
            let _ = writeln!(script, "    *(.text.{pattern} .text.unlikely.{pattern})");
        }
    }
    script.push_str(TAIL);
    (script, called().map(|(_, size)| size).sum())
}

/// A function's name as other builds have it too: without the digests of crates and types.
fn pattern(name: &str) -> String {
    let name = without_module(name);
    if name.starts_with("_R") {
        let mut parts = name.split("Cs");
        let mut pattern = parts.next().unwrap_or_default().to_string();
        for part in parts {
            let rest = part.split_once('_').map_or(part, |(_, rest)| rest);
            pattern.push_str("Cs*_");
            pattern.push_str(rest);
        }
        return pattern + "*";
    }
    match name.rsplit_once("17h") {
        Some((path, digest)) if digest.len() == 17 => format!("{path}17h*"),
        _ => name.to_string(),
    }
}

/// The name without the module that a function belongs to since it was inlined somewhere.
fn without_module(name: &str) -> &str {
    name.split_once(".llvm.").map_or(name, |(name, _)| name)
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{name}: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_leave_out_what_differs_from_build_to_build() {
        let cases = [
            ("_ZN4core3fmt5write17h0123456789abcdefE", "_ZN4core3fmt5write17h*"),
            ("_ZN1a1b17h0123456789abcdefE.llvm.123", "_ZN1a1b17h*"),
            ("_RNvNtCsjrHSEGnQ3l9_3std3env.llvm.5", "_RNvNtCs*_3std3env*"),
            ("memcpy", "memcpy"),
        ];
        for (name, expected) in cases {
            assert_eq!(pattern(name), expected);
        }
    }

    #[test]
    fn of_functions_with_one_name_only_those_that_are_called_are_taken() {
        let names = ["_ZN1v4grow17h0000000000000001E", "_ZN1v4grow17h0000000000000002E"];
        let functions = names.map(|name| (name.to_string(), 10)).into();
        let (one, bytes) = script(&functions, &[names[1].to_string(), "gone".to_string()]);
        assert!(one.contains("(.text._ZN1v4grow17h0000000000000002E* "), "{one}");
        assert!(!one.contains("17h0000000000000001E") && !one.contains("gone"), "{one}");
        assert_eq!(bytes, 10);
        let (both, _) = script(&functions, &names.map(ToString::to_string));
        assert_eq!(both.matches("_ZN1v4grow17h* ").count(), 1, "{both}");
    }

    #[test]
    fn profiles_name_functions() {
        assert_eq!(name_in("fn=(12) _ZN1aE"), Some("_ZN1aE"));
        assert_eq!(name_in("cfn=(3) main'2"), Some("main"));
        assert_eq!(name_in("fn=(12)"), None);
        assert_eq!(name_in("calls=1 2"), None);
    }
}
