//! Regular expressions: sprig's `regex.go` over [`crate::goregex`].

use crate::goregex::{Error, GoRegex, quote_meta};
use bowsprit_value::{Args, Func, FuncError, List, ListType, Meter, Str, Type, Value, strconv};
use std::collections::BTreeMap;
use std::rc::Rc;

const S: Type = Type::String;
const STRINGS: Type = Type::List(bowsprit_value::Elem::String);

pub(crate) static FUNCS: &[Func] = &[
    Func::pure("mustRegexFind", &[S, S], S, |args| find(args, plain)),
    Func::pure("mustRegexFindAll", &[S, S, Type::INT], STRINGS, |args| find_all(args, plain)),
    Func::pure("mustRegexMatch", &[S, S], Type::Bool, must_regex_match),
    Func::pure("mustRegexReplaceAll", &[S, S, S], S, |args| replace_all(args, plain)),
    Func::pure("mustRegexReplaceAllLiteral", &[S, S, S], S, |args| replace_literal(args, plain)),
    Func::pure("mustRegexSplit", &[S, S, Type::INT], STRINGS, |args| split(args, plain)),
    Func::pure("regexFind", &[S, S], S, |args| find(args, panicked)),
    Func::pure("regexFindAll", &[S, S, Type::INT], STRINGS, |args| find_all(args, panicked)),
    Func::pure("regexMatch", &[S, S], Type::Bool, regex_match),
    Func::pure("regexQuoteMeta", &[S], S, regex_quote_meta),
    Func::pure("regexReplaceAll", &[S, S, S], S, |args| replace_all(args, panicked)),
    Func::pure("regexReplaceAllLiteral", &[S, S, S], S, |args| replace_literal(args, panicked)),
    Func::pure("regexSplit", &[S, S, Type::INT], STRINGS, |args| split(args, panicked)),
];

type Result<T = Value> = std::result::Result<T, FuncError>;

/// How a function words the error of a bad pattern.
type Wording = fn(&Error, &[u8]) -> Vec<u8>;

fn plain(error: &Error, _: &[u8]) -> Vec<u8> {
    error.to_bytes()
}

/// The text of `regexp.MustCompile`'s panic.
fn panicked(error: &Error, pattern: &[u8]) -> Vec<u8> {
    let quoted = if strconv::can_backquote(pattern) {
        [b"`", pattern, b"`"].concat()
    } else {
        strconv::quote(pattern)
    };
    [b"regexp: Compile(", &quoted[..], b"): ", &error.to_bytes()].concat()
}

type Compiled = std::result::Result<Rc<GoRegex>, Rc<Error>>;

/// The patterns of a run: charts call these functions in loops with few patterns.
#[derive(Default)]
struct Patterns {
    compiled: BTreeMap<Str, Compiled>,
    size: usize,
}

// Instructions, and bytes of patterns, to keep at most.
const MAX_SIZE: usize = 64 * 1024;
// What an entry takes besides, in the same unit.
const ENTRY_SIZE: usize = 16;

fn compile(args: &Args<'_>) -> Result<Compiled> {
    let (pattern, meter) = (args.str(0), args.meter());
    meter.scratch(|patterns: &mut Patterns| match patterns.compiled.get(pattern) {
        Some(found) => Ok(found.clone()),
        None => patterns.add(pattern, meter),
    })
}

impl Patterns {
    fn add(&mut self, pattern: &Str, meter: &Meter) -> Result<Compiled> {
        meter.charge_steps(pattern.len() as u64)?;
        let compiled = GoRegex::compile(pattern).map(Rc::new).map_err(Rc::new);
        let size = compiled.as_ref().map_or(0, |regex| regex.size());
        meter.charge_steps(size as u64 / 4)?;
        let size = size + pattern.len() + ENTRY_SIZE;
        if size <= MAX_SIZE {
            if self.size + size > MAX_SIZE {
                *self = Patterns::default();
            }
            self.size += size;
            self.compiled.insert(pattern.clone(), compiled.clone());
        }
        Ok(compiled)
    }
}

fn regex(args: &Args<'_>, wording: Wording) -> Result<Rc<GoRegex>> {
    compile(args)?.map_err(|error| FuncError::new(wording(&error, args.str(0).as_bytes())))
}

fn is_match(args: &Args<'_>, regex: &GoRegex) -> Result {
    let meter = args.meter();
    let found = regex.is_match(args.str(1).as_bytes(), &mut |steps| meter.charge_steps(steps))?;
    Ok(found.into())
}

fn regex_match(args: &mut Args<'_>) -> Result {
    match compile(args)? {
        Ok(regex) => is_match(args, &regex),
        Err(_) => Ok(false.into()),
    }
}

fn must_regex_match(args: &mut Args<'_>) -> Result {
    is_match(args, &*regex(args, plain)?)
}

fn find(args: &mut Args<'_>, wording: Wording) -> Result {
    let (regex, meter) = (regex(args, wording)?, args.meter());
    let text = args.str(1).as_bytes();
    let range = regex.find(text, &mut |steps| meter.charge_steps(steps))?;
    let found = range.and_then(|range| text.get(range)).unwrap_or_default();
    args.charge(found.len())?;
    Ok(Value::str(found))
}

fn find_all(args: &mut Args<'_>, wording: Wording) -> Result {
    let (regex, meter) = (regex(args, wording)?, args.meter());
    let text = args.str(1).as_bytes();
    let found = regex.find_all(text, args.int(2), &mut |steps| meter.charge_steps(steps))?;
    // Go's slice is nil without a match.
    strings(args, Some(found).filter(|found| !found.is_empty()))
}

fn split(args: &mut Args<'_>, wording: Wording) -> Result {
    let (regex, meter) = (regex(args, wording)?, args.meter());
    let text = args.str(1).as_bytes();
    let pieces = regex.split(text, args.int(2), &mut |steps| meter.charge_steps(steps))?;
    strings(args, pieces)
}

fn strings(args: &Args<'_>, pieces: Option<Vec<&[u8]>>) -> Result {
    let Some(pieces) = pieces else { return Ok(Value::List(List::nil(ListType::STRINGS))) };
    args.charge(pieces.iter().map(|piece| piece.len() + size_of::<Value>()).sum())?;
    Ok(Value::strings(pieces.into_iter().map(Str::from)))
}

fn replace_all(args: &mut Args<'_>, wording: Wording) -> Result {
    let (regex, meter) = (regex(args, wording)?, args.meter());
    let (text, template) = (args.str(1).as_bytes(), args.str(2).as_bytes());
    let references = template.iter().filter(|b| **b == b'$').count();
    let charged = charge_ahead(args, &regex, references)?;
    let out = regex.replace_all(text, template, &mut |steps| meter.charge_steps(steps))?;
    args.charge(if charged { 0 } else { out.len() })?;
    Ok(Value::str(out))
}

fn replace_literal(args: &mut Args<'_>, wording: Wording) -> Result {
    let (regex, meter) = (regex(args, wording)?, args.meter());
    let (text, by) = (args.str(1).as_bytes(), args.str(2).as_bytes());
    let charged = charge_ahead(args, &regex, 0)?;
    let out = regex.replace_all_literal(text, by, &mut |steps| meter.charge_steps(steps))?;
    args.charge(if charged { 0 } else { out.len() })?;
    Ok(Value::str(out))
}

/// Charges for a result that may be big before it is made; says whether it did.
fn charge_ahead(args: &Args<'_>, regex: &GoRegex, references: usize) -> Result<bool> {
    const SMALL: usize = 1 << 20;
    let (text, template) = (args.str(1).as_bytes(), args.str(2).as_bytes());
    // The groups of one reference don't overlap, so together they are no longer than the text.
    let copied = text.len().saturating_mul(references + 1);
    let at_most = |matches: usize| copied.saturating_add(template.len().saturating_mul(matches));
    if at_most(text.len() + 1) <= SMALL {
        return Ok(false);
    }
    let meter = args.meter();
    let matches = regex.find_all(text, -1, &mut |steps| meter.charge_steps(steps))?.len();
    // Replacing counts some empty matches that finding drops.
    args.charge(at_most(matches.saturating_mul(2) + 1))?;
    Ok(true)
}

fn regex_quote_meta(args: &mut Args<'_>) -> Result {
    args.charge(args.str(0).len())?;
    Ok(Value::str(quote_meta(args.str(0).as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, args: &[&str]) -> std::result::Result<String, String> {
        let func = FUNCS.iter().find(|f| f.name == name).unwrap();
        let bowsprit_value::FuncImpl::Pure(body) = func.body else { panic!("not pure") };
        let mut values: Vec<Value> = args.iter().map(|a| Value::from(*a)).collect();
        let result = body(&mut Args::new(&mut values, &Meter::default()));
        result.map(|v| v.as_str().unwrap().to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn errors_are_worded_as_in_go() {
        let error = "error parsing regexp: missing closing ]: `[`";
        assert_eq!(call("mustRegexFind", &["[", "a"]), Err(error.to_owned()));
        assert_eq!(call("regexFind", &["[", "a"]), Err(format!("regexp: Compile(`[`): {error}")));
        assert_eq!(
            call("regexFind", &["[`", "a"]).unwrap_err(),
            "regexp: Compile(\"[`\"): error parsing regexp: missing closing ]: `[``"
        );
        assert_eq!(call("regexReplaceAll", &["a(x*)b", "-ab-axxb-", "${1}W"]).unwrap(), "-W-xxW-");
    }

    #[test]
    fn patterns_are_kept_within_bounds() {
        let meter = Meter::default();
        for n in 0..10_000 {
            let mut values = [Value::from(format!("a{{{}}}b+{n}", n % 100)), Value::from("aab")];
            regex_match(&mut Args::new(&mut values, &meter)).unwrap();
        }
        meter.scratch(|patterns: &mut Patterns| {
            assert!(patterns.size <= MAX_SIZE);
            assert!(patterns.compiled.len() > 100);
        });
    }

    #[test]
    fn big_results_are_charged_before_they_are_made() {
        let limits = bowsprit_value::Limits { bytes: 1 << 24, ..Default::default() };
        let text = "x".repeat(1 << 20);
        for name in ["regexReplaceAll", "regexReplaceAllLiteral"] {
            let func = FUNCS.iter().find(|f| f.name == name).unwrap();
            let bowsprit_value::FuncImpl::Pure(body) = func.body else { panic!("not pure") };
            let meter = Meter::new(limits);
            let mut values = ["x", &text, &text].map(Value::from);
            assert!(body(&mut Args::new(&mut values, &meter)).is_err());
        }
    }
}
