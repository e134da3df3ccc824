//! `bowsprit eval`.

use super::{Command, Invocation};
use crate::failure::Failure;
use crate::flags::{Flag, Kind};
use crate::{charts, limits, release, streams, values};
use bowsprit::RenderRequest;
use bowsprit::chart::{Chart, File, Limits};
use bowsprit::eval::Evaluator;
use bowsprit::value::Host;
use std::io::{BufRead, ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub(super) static COMMAND: Command = Command {
    name: "eval",
    usage: "eval [flags] TEMPLATE",
    about: "Print the result of one template",
    examples: "\
TEMPLATE is a text, or - for standard input. It sees what a template of a chart sees; with --chart
also this chart's values, files and helpers.

With --jsonl requests are read from standard input, one JSON object a line, and answered line by line
on standard output; a request that can't be answered is answered with an error.

Examples:
  bowsprit eval --set a=x '{{ .Values.a | quote }}'
  bowsprit eval -f values.yaml '{{ toYaml .Values.image }}'
  bowsprit eval --chart ./chart '{{ include \"chart.fullname\" . }}'
  bowsprit eval --kube-version 1.31 '{{ .Capabilities.KubeVersion }}'
  echo '{\"id\": 1, \"kind\": \"template\", \"template\": \"{{ add 1 2 }}\"}' | bowsprit eval --jsonl",
    flags: &[FLAGS, charts::FLAGS, values::FLAGS, release::FLAGS, release::TARGET, limits::FLAGS],
    children: &[],
    run: Some(run),
};

static FLAGS: &[Flag] = &[
    Flag::with(
        "chart",
        Kind::Text,
        "CHART",
        "A chart whose values, files and helpers are there: a path, a URL, NAME/CHART or oci://",
    ),
    Flag::with("name", Kind::Text, "NAME", "The release's name (default release-name)"),
    Flag::switch("strict", "Take missing keys for errors"),
    Flag::switch("jsonl", "Answer requests from standard input"),
];

/// The last part of the template's name, which errors show.
const NAME: &str = "eval";

fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    if invocation.parsed.is_on("jsonl") {
        super::no_args(invocation, "bowsprit eval --jsonl")?;
        return serve(invocation);
    }
    let [template] = invocation.args() else {
        return Err(Failure::Error(
            "\"bowsprit eval\" requires 1 argument\n\nUsage:  bowsprit eval [flags] TEMPLATE"
                .to_owned(),
        ));
    };
    let template = template_text(template)?;
    let parsed = invocation.parsed;
    let capabilities = release::capabilities(parsed)?;
    let values = values::values(invocation)?;
    let chart = chart(invocation)?;
    let name = parsed.text("name").unwrap_or("release-name");
    let mut request = RenderRequest::new(name, invocation.settings.namespace())
        .values(values)
        .capabilities(capabilities);
    release::apply(parsed, &mut request);
    request.strict = parsed.is_on("strict");
    let compiled = limits::engine(parsed).compile(Arc::new(chart));
    match compiled.render_text(NAME, &template, &request, &*release::host(parsed)) {
        Ok(rendered) => {
            rendered.warnings.iter().for_each(|line| invocation.settings.log(line));
            let mut text = rendered.output;
            if !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            streams::write(&text)
        }
        Err(error) => {
            error.log().iter().for_each(|line| invocation.settings.log(line));
            Err(Failure::of(error))
        }
    }
}

fn template_text(argument: &str) -> Result<Vec<u8>, Failure> {
    if argument != "-" {
        return Ok(argument.as_bytes().to_vec());
    }
    let mut text = Vec::new();
    match std::io::stdin().lock().read_to_end(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::Error(format!("read standard input: {error}"))),
    }
}

/// The chart of `--chart`, or one that has nothing in it.
fn chart(invocation: &Invocation<'_>) -> Result<Chart, Failure> {
    if let Some(chart) = invocation.parsed.non_empty("chart") {
        let path = charts::locate(invocation, chart)?;
        return release::load(invocation, &path);
    }
    let metadata = "apiVersion: v2\nname: chart\nversion: 0.1.0\n";
    let files = vec![File::new("Chart.yaml", metadata)];
    let chart = Chart::from_files(files, &Limits::default()).map_err(Failure::of)?;
    Ok(chart.output)
}

/// Answers requests until there are no more, or nobody reads the answers.
fn serve(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let host = release::host(invocation.parsed);
    let evaluator = Evaluator::new(Shared(&*host), limits::limits(invocation.parsed));
    let mut input = std::io::stdin().lock();
    let mut out = std::io::stdout().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(Failure::Error(format!("read standard input: {error}"))),
        }
        let request = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut answer = answer(&evaluator, request);
        answer.push(b'\n');
        match out.write_all(&answer).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::Error(format!("write standard output: {error}"))),
            Ok(()) => {}
        }
    }
}

/// A defect that one request meets must not cost the others their answers.
fn answer<H: Host>(evaluator: &Evaluator<H>, request: &[u8]) -> Vec<u8> {
    catch_unwind(AssertUnwindSafe(|| evaluator.answer(request))).unwrap_or_else(|_| {
        let text = "the request met a defect of bowsprit";
        Evaluator::<H>::fatal_answer(request, text)
    })
}

/// A host that belongs to somebody else.
struct Shared<'h>(&'h dyn Host);

impl Host for Shared<'_> {
    fn now(&self) -> bowsprit::value::Timestamp {
        self.0.now()
    }

    fn fill_random(&self, buf: &mut [u8]) {
        self.0.fill_random(buf);
    }

    fn time_zone(&self) -> String {
        self.0.time_zone()
    }

    fn resolve_dns(&self, name: &str) -> String {
        self.0.resolve_dns(name)
    }
}
