//! pflag's way through the arguments.

use super::value::{check, duration, quote};
use super::{Flag, Kind};
use bowsprit::chart::LogLine;
use bowsprit::value::strconv;
use std::fmt;

/// Arguments that can't be parsed. `Display` is pflag's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlagError(String);

impl fmt::Display for FlagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was given.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    sets: Vec<(&'static Flag, Vec<String>)>,
    /// What is no flag.
    pub(crate) args: Vec<String>,
    /// What is to be said of deprecated flags.
    pub(crate) notices: Vec<String>,
    /// What is to be logged.
    pub(crate) log: Vec<LogLine>,
}

impl Parsed {
    /// Whether a flag was given, with whatever value.
    pub(crate) fn given(&self, name: &str) -> bool {
        self.sets.iter().any(|(flag, _)| flag.name == name)
    }

    /// All flags that were given, with their values, from left to right.
    pub(crate) fn sets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.sets.iter().flat_map(|(flag, values)| values.iter().map(|v| (flag.name, v.as_str())))
    }

    /// The last value of a flag.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.sets().filter(|(flag, _)| *flag == name).last().map(|(_, value)| value)
    }

    /// The last value of a flag; an empty one counts for none.
    pub(crate) fn non_empty(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// Whether a switch is on; they are off at first.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// All values of a flag.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let sets = self.sets().filter(|(flag, _)| *flag == name);
        sets.map(|(_, value)| value.to_owned()).collect()
    }

    /// The last value of a flag whose kind is a duration; negative ones count as none at all.
    pub(crate) fn duration(&self, name: &str) -> Option<std::time::Duration> {
        std::time::Duration::try_from_secs_f64(duration(self.text(name)?).ok()?).ok()
    }

    /// The last value of a flag whose kind is a number that can't be negative.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        strconv::parse_uint(self.text(name)?.as_bytes(), 0, 64).ok()
    }
}

/// Whether the flag of a name or a letter can stand without a value; false for one that is not known.
pub(crate) fn is_optional(tables: &[&'static [Flag]], arg: &str) -> bool {
    let flags = || tables.iter().copied().flatten();
    match arg.strip_prefix("--") {
        Some(name) => flags().any(|f| f.name == name && f.optional.is_some()),
        None => {
            let letter = arg.chars().nth(1);
            flags().any(|f| f.short.is_some() && f.short == letter && f.optional.is_some())
        }
    }
}

/// Reads arguments against tables of flags.
pub(crate) struct Parser<'p> {
    /// The flags.
    pub(crate) tables: &'p [&'static [Flag]],
    /// Passes over flags that are in no table.
    pub(crate) allow_unknown: bool,
    /// Looks for a plugin.
    pub(crate) post_renderer: &'p dyn Fn(&str) -> Result<(), String>,
}

type Step<T> = Result<T, FlagError>;

impl Parser<'_> {
    /// Parses arguments without the program's and the command's name. What was parsed before an error
    /// counts.
    pub(crate) fn parse(&self, args: &[String]) -> (Parsed, Step<()>) {
        let mut parsed = Parsed::default();
        let outcome = self.parse_into(args, &mut parsed);
        (parsed, outcome)
    }

    fn parse_into(&self, mut args: &[String], parsed: &mut Parsed) -> Step<()> {
        while let Some((arg, rest)) = args.split_first() {
            args = rest;
            if arg == "--" {
                parsed.args.extend_from_slice(rest);
                return Ok(());
            }
            match arg.strip_prefix("--") {
                Some(long) => args = self.long(long, args, parsed)?,
                None => match arg.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                    Some(letters) => args = self.letters(letters, args, parsed)?,
                    None => parsed.args.push(arg.clone()),
                },
            }
        }
        Ok(())
    }

    fn long<'a>(&self, long: &str, args: &'a [String], parsed: &mut Parsed) -> Step<&'a [String]> {
        if long.starts_with(['-', '=']) {
            return Err(FlagError(format!("bad flag syntax: --{long}")));
        }
        let (name, given) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let Some(flag) = self.tables.iter().copied().flatten().find(|f| f.name == name) else {
            if !self.allow_unknown || name == "help" {
                return Err(FlagError(format!("unknown flag: --{name}")));
            }
            return Ok(if given.is_some() { args } else { without_value(args) });
        };
        let (value, rest) = match (given, flag.optional) {
            (Some(value), _) => (value, args),
            (None, Some(default)) => (default, args),
            (None, None) => match args.split_first() {
                Some((value, rest)) => (value.as_str(), rest),
                None => return Err(FlagError(format!("flag needs an argument: --{name}"))),
            },
        };
        self.set(flag, value, parsed)?;
        Ok(rest)
    }

    fn letters<'a>(
        &self,
        mut letters: &str,
        mut args: &'a [String],
        parsed: &mut Parsed,
    ) -> Step<&'a [String]> {
        // pflag hands the arguments behind the whole group to each of its letters.
        let behind = args;
        while let Some(letter) = letters.chars().next() {
            let after = letters.get(letter.len_utf8()..).unwrap_or_default();
            // A concession of pflag's to Go's test runner.
            if letters.starts_with("test.") {
                return Ok(args);
            }
            let Some(flag) =
                self.tables.iter().copied().flatten().find(|f| f.short == Some(letter))
            else {
                if !self.allow_unknown || letter == 'h' {
                    return Err(unknown_letter(letters));
                }
                if after.len() > 1 && after.starts_with('=') {
                    return Ok(args);
                }
                args = without_value(behind);
                letters = after;
                continue;
            };
            let explicit = after.strip_prefix('=').filter(|value| !value.is_empty());
            let value = match (explicit, flag.optional) {
                (Some(value), _) => value,
                (None, Some(default)) => {
                    self.set(flag, default, parsed)?;
                    args = behind;
                    letters = after;
                    continue;
                }
                (None, None) if !after.is_empty() => after,
                (None, None) => match behind.split_first() {
                    Some((value, rest)) => {
                        args = rest;
                        value
                    }
                    None => return Err(needs_argument(letters)),
                },
            };
            self.set(flag, value, parsed)?;
            return Ok(args);
        }
        Ok(args)
    }

    fn set(&self, flag: &'static Flag, value: &str, parsed: &mut Parsed) -> Step<()> {
        if flag.kind == Kind::PostRenderer && !value.is_empty() && parsed.given(flag.name) {
            return Err(invalid(flag, value, "cannot specify --post-renderer flag more than once"));
        }
        let values = check(flag, value, &mut parsed.log, self.post_renderer);
        let values = values.map_err(|cause| invalid(flag, value, &cause))?;
        if let Some(instead) = flag.deprecated {
            let notice = format!("Flag --{} has been deprecated, {instead}", flag.name);
            parsed.notices.push(notice);
        }
        parsed.sets.push((flag, values));
        Ok(())
    }
}

fn invalid(flag: &Flag, value: &str, cause: &str) -> FlagError {
    let name = match flag.short {
        Some(short) => format!("-{short}, --{}", flag.name),
        None => format!("--{}", flag.name),
    };
    FlagError(format!("invalid argument {} for \"{name}\" flag: {cause}", quote(value)))
}

/// pflag looks at bytes, and quotes the first byte of the character that has this byte's number.
fn byte_as_rune(letters: &str) -> String {
    let rune = match letters.bytes().next() {
        Some(byte) if byte < 0x80 => char::from(byte),
        Some(byte) if byte < 0xc0 => '\u{c2}',
        _ => '\u{c3}',
    };
    String::from_utf8_lossy(&strconv::quote_rune(rune)).into_owned()
}

fn unknown_letter(letters: &str) -> FlagError {
    FlagError(format!("unknown shorthand flag: {} in -{letters}", byte_as_rune(letters)))
}

fn needs_argument(letters: &str) -> FlagError {
    FlagError(format!("flag needs an argument: {} in -{letters}", byte_as_rune(letters)))
}

/// What follows an unknown flag is taken for its value, unless it begins with a dash.
fn without_value(args: &[String]) -> &[String] {
    match args.split_first() {
        Some((first, rest)) if !first.starts_with('-') => rest,
        _ => args,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static FLAGS: &[Flag] = &[
        Flag::switch("all", "").short('a'),
        Flag::with("name", Kind::Text, "NAME", "").short('n'),
        Flag::with("file", Kind::List, "FILES", "").short('f'),
        Flag::with("how", Kind::Text, "HOW", "").optional("unset"),
        Flag::switch("old", "").deprecated("use --all instead"),
    ];

    fn parse(args: &[&str], allow_unknown: bool) -> (Parsed, Step<()>) {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        Parser { tables: &[FLAGS], allow_unknown, post_renderer: &|_| Ok(()) }.parse(&args)
    }

    fn check_parse(args: &[&str], sets: &[(&str, &str)], rest: &[&str]) {
        let (parsed, outcome) = parse(args, false);
        assert_eq!(outcome, Ok(()), "{args:?}");
        assert_eq!(parsed.sets().collect::<Vec<_>>(), sets, "{args:?}");
        assert_eq!(parsed.args, rest, "{args:?}");
    }

    #[test]
    fn flags_are_read_as_pflag_reads_them() {
        check_parse(&["x", "--all", "y"], &[("all", "true")], &["x", "y"]);
        check_parse(&["--all=0", "-a=T"], &[("all", "false"), ("all", "true")], &[]);
        check_parse(&["-anx"], &[("all", "true"), ("name", "x")], &[]);
        check_parse(&["-n", "-a"], &[("name", "-a")], &[]);
        check_parse(&["-n=x", "-n="], &[("name", "x"), ("name", "=")], &[]);
        check_parse(&["--name", "--all"], &[("name", "--all")], &[]);
        check_parse(&["--name="], &[("name", "")], &[]);
        check_parse(&["--how", "x", "--how=y"], &[("how", "unset"), ("how", "y")], &["x"]);
        check_parse(&["-f", "a,\"b,c\"", "-"], &[("file", "a"), ("file", "b,c")], &["-"]);
        check_parse(&["--", "--all"], &[], &["--all"]);
    }

    #[test]
    fn errors_are_pflags() {
        for (args, want) in [
            (&["--nope"][..], "unknown flag: --nope"),
            (&["--nope=x"], "unknown flag: --nope"),
            (&["-ax"], "unknown shorthand flag: 'x' in -x"),
            (&["-é"], "unknown shorthand flag: 'Ã' in -é"),
            (&["--=x"], "bad flag syntax: --=x"),
            (&["---x"], "bad flag syntax: ---x"),
            (&["--name"], "flag needs an argument: --name"),
            (&["-an"], "flag needs an argument: 'n' in -n"),
            (
                &["--all=maybe"],
                "invalid argument \"maybe\" for \"-a, --all\" flag: strconv.ParseBool: parsing \
                 \"maybe\": invalid syntax",
            ),
        ] {
            assert_eq!(parse(args, false).1.unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn unknown_flags_can_be_passed_over() {
        let (parsed, outcome) = parse(&["--x", "1", "-z", "--all", "-fy", "--x=1", "b"], true);
        assert_eq!(outcome, Ok(()));
        assert_eq!(parsed.args, ["b"]);
        // The letters behind an unknown one are tried too: Helm takes `-fname.yaml` for a namespace.
        let (parsed, _) = parse(&["-qnew", "chart"], true);
        assert_eq!(parsed.text("name"), Some("ew"));
    }

    #[test]
    fn deprecated_flags_say_so() {
        let (parsed, _) = parse(&["--old"], false);
        assert_eq!(parsed.notices, ["Flag --old has been deprecated, use --all instead"]);
        assert!(parsed.given("old") && !parsed.is_on("all"));
    }
}
