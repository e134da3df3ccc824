//! The flags that give values, and the files that they name.

use crate::commands::Invocation;
use crate::failure::Failure;
use crate::flags::{Flag, Kind, Parsed};
use crate::{network, release};
use bowsprit::loader::PathError;
use bowsprit::render::sprig_functions;
use bowsprit::render::values::{ValuesFile, ValuesOptions, merge};
use bowsprit::value::{Args, FuncImpl, Map, Meter, Value};
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

pub(crate) static FLAGS: &[Flag] = &[
    Flag::with(
        "values",
        Kind::List,
        "FILE",
        "Values from a YAML file or a URL, or - for standard input; repeatable",
    )
    .short('f'),
    Flag::with("set", Kind::Texts, "KEY=VALUE", "Set values: a.b=1,c[0]=x; repeatable"),
    Flag::with("set-string", Kind::Texts, "KEY=VALUE", "Set values that are strings; repeatable"),
    Flag::with("set-json", Kind::Texts, "KEY=JSON", "Set values from JSON; repeatable"),
    Flag::with(
        "set-file",
        Kind::Texts,
        "KEY=FILE",
        "Set values to the content of files or URLs; repeatable",
    ),
    Flag::with(
        "set-literal",
        Kind::Texts,
        "KEY=TEXT",
        "Set a value to a text as it is; repeatable",
    ),
];

/// Merges what the flags give.
///
/// # Errors
///
/// Fails where a file can't be read or an argument is wrong, with Helm's words.
pub(crate) fn values(invocation: &Invocation<'_>) -> Result<Map, Failure> {
    with_files(invocation, &[])
}

/// The same with more files on top of those of `-f`.
///
/// # Errors
///
/// As [`values`].
pub(crate) fn with_files(invocation: &Invocation<'_>, more: &[String]) -> Result<Map, Failure> {
    let options = given(invocation, more)?;
    let mut read = |name: &str| read_file(invocation, name);
    merge(&options, &mut read).map_err(|e| Failure::found(e.diagnostic()))
}

/// What the flags give, with the files read.
///
/// # Errors
///
/// Fails where a file can't be read, with Helm's words.
pub(crate) fn given(
    invocation: &Invocation<'_>,
    more: &[String],
) -> Result<ValuesOptions, Failure> {
    let parsed = invocation.parsed;
    let mut options = arguments(parsed);
    // A file that can't be read is an error only after all before it have been parsed.
    let mut unreadable = None;
    for name in parsed.all("values").into_iter().chain(more.iter().cloned()) {
        match read_file(invocation, &name) {
            Ok(text) => options.files.push(ValuesFile::Yaml { name, text }),
            Err(error) => {
                unreadable = Some(error);
                break;
            }
        }
    }
    if let Some(error) = unreadable {
        let files = ValuesOptions {
            files: options.files,
            compat: options.compat,
            ..ValuesOptions::default()
        };
        merge(&files, &mut |_| Err(String::new())).map_err(|e| Failure::found(e.diagnostic()))?;
        return Err(Failure::Error(error));
    }
    Ok(options)
}

/// The arguments that set values; files are to be added.
fn arguments(parsed: &Parsed) -> ValuesOptions {
    ValuesOptions {
        set_json: parsed.all("set-json"),
        set: parsed.all("set"),
        set_string: parsed.all("set-string"),
        set_file: parsed.all("set-file"),
        set_literal: parsed.all("set-literal"),
        compat: release::compat(parsed),
        ..ValuesOptions::default()
    }
}

/// All that gives values and can be read twice, for those who speak of places in it.
pub(crate) fn sources(parsed: &Parsed) -> ValuesOptions {
    let mut options = arguments(parsed);
    let texts = texts(parsed).into_iter();
    options.files = texts.map(|(name, text)| ValuesFile::Yaml { name, text }).collect();
    options
}

/// Where a file that templates and defaults name from the chart's name on lies on disk.
pub(crate) fn place_in_chart(path: &str, chart: &str, file: &str) -> String {
    match file.strip_prefix(chart) {
        Some(rest) if rest.starts_with('/') => format!("{}{rest}", path.trim_end_matches('/')),
        _ => file.to_owned(),
    }
}

/// The texts of the values files that can be read twice, for those who speak of places in them.
pub(crate) fn texts(parsed: &Parsed) -> Vec<(String, Vec<u8>)> {
    let names = parsed.all("values").into_iter().filter(|name| name.trim() != "-");
    names.filter_map(|name| std::fs::read(&name).ok().map(|text| (name, text))).collect()
}

static STDIN: OnceLock<Vec<u8>> = OnceLock::new();

/// As [`given`] without more files, after the values have been read already: standard input counts as it
/// was.
///
/// # Errors
///
/// As [`given`].
pub(crate) fn given_again(invocation: &Invocation<'_>) -> Result<ValuesOptions, Failure> {
    let mut options = given(invocation, &[])?;
    let mut kept = STDIN.get().cloned();
    for file in &mut options.files {
        if let ValuesFile::Yaml { name, text } = file
            && name.trim() == "-"
            && let Some(kept) = kept.take()
        {
            *text = kept;
        }
    }
    Ok(options)
}

/// Reads what `-f` and `--set-file` name.
pub(crate) fn read_file(invocation: &Invocation<'_>, name: &str) -> Result<Vec<u8>, String> {
    if name.trim() == "-" {
        let mut text = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut text);
        // What was read first is what there was; kept for those who ask once more.
        let _ = STDIN.set(text.clone());
        return read
            .map(|_| text)
            .map_err(|e| PathError::new("read", Path::new("/dev/stdin"), e).to_string());
    }
    if name.contains([':', '%']) || name.chars().any(|c| c.is_ascii_control()) {
        let scheme = scheme(name)?;
        if matches!(scheme.as_slice(), b"http" | b"https" | b"oci") {
            return from_url(invocation, name);
        }
    }
    let path = Path::new(name);
    let failed = |operation| move |e| PathError::new(operation, path, e).to_string();
    let mut file = std::fs::File::open(path).map_err(failed("open"))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(failed("read"))?;
    Ok(text)
}

fn from_url(invocation: &Invocation<'_>, url: &str) -> Result<Vec<u8>, String> {
    let sources = network::sources(invocation);
    let read = network::wait(sources.read_url(url)).map_err(|failure| match failure {
        Failure::Error(text) => text,
        _ => "interrupted".to_owned(),
    })?;
    read.map_err(|error| format!("{error:#}"))
}

/// The scheme of what may be a URL; Go's text for what can't be one.
fn scheme(text: &str) -> Result<Vec<u8>, String> {
    let functions = sprig_functions();
    let url_parse = functions.iter().find(|func| func.name == "urlParse");
    let Some(FuncImpl::Pure(url_parse)) = url_parse.map(|func| func.body) else {
        return Ok(Vec::new());
    };
    let meter = Meter::default();
    match url_parse(&mut Args::new(&mut [Value::from(text)], &meter)) {
        Ok(url) => {
            let scheme = url.as_map().and_then(|url| url.get(b"scheme"));
            Ok(scheme.and_then(|s| Some(s.as_str()?.as_bytes().to_vec())).unwrap_or_default())
        }
        Err(error) => {
            let error = error.to_string();
            Err(error.strip_prefix("unable to parse url: ").unwrap_or(&error).to_owned())
        }
    }
}
