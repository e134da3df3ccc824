//! What a page of Markdown asks for, as CONTRIBUTING describes it.

/// A fenced block that the test acts on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The line on which it begins, 1-based.
    pub(super) line: usize,
    pub(super) step: Step,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `sh`: commands that have to succeed.
    Run(String),
    /// `sh setup`: what readers have of their own; the test brings its own values for the same names.
    Setup(String),
    /// `console`: commands, and what they print.
    Shown { commands: Vec<Shown>, sample: bool, fails: bool },
    /// `… file=NAME`: a file to save.
    Save { name: String, text: String },
}

/// A command behind `$`, and what the page shows below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) command: String,
    pub(super) output: String,
}

/// The blocks of a page that are to be acted on, in order.
///
/// # Errors
///
/// Fails where a block's first line says something that has no meaning, so that nothing is left out by a
/// slip of the pen.
pub(super) fn parse(page: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else { continue };
        let indent = line.len() - line.trim_start().len();
        let mut text = String::new();
        let closed = lines.by_ref().any(|(_, line)| {
            let end = line.trim() == "```";
            if !end {
                text.push_str(line.get(indent..).unwrap_or_default());
                text.push('\n');
            }
            end
        });
        if !closed {
            return Err(format!("line {}: the block has no end", at + 1));
        }
        let step = step(info, text).map_err(|error| format!("line {}: {error}", at + 1))?;
        blocks.extend(step.map(|step| Block { line: at + 1, step }));
    }
    Ok(blocks)
}

fn step(info: &str, text: String) -> Result<Option<Step>, String> {
    let mut words = info.split_whitespace();
    let language = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    if let [word] = words.as_slice()
        && let Some(name) = word.strip_prefix("file=")
    {
        return Ok(Some(Step::Save { name: name.to_owned(), text }));
    }
    let known = |word: &&str| match language {
        "sh" => ["setup", "skip"].contains(word),
        "console" => ["sample", "fails", "skip"].contains(word),
        _ => *word == "skip",
    };
    if let Some(word) = words.iter().find(|word| !known(word)) {
        return Err(format!("`{word}` has no meaning behind `{language}`"));
    }
    let has = |word: &str| words.contains(&word);
    if has("skip") {
        return Ok(None);
    }
    match language {
        "sh" if has("setup") => Ok(Some(Step::Setup(text))),
        "sh" => Ok(Some(Step::Run(text))),
        "console" => {
            let commands = commands(&text)?;
            Ok(Some(Step::Shown { commands, sample: has("sample"), fails: has("fails") }))
        }
        "bash" | "shell" => Err(format!("`{language}` is called `sh` here")),
        _ => Ok(None),
    }
}

/// Commands begin with `$`; they go on after a backslash, or on lines that begin with `>`.
fn commands(text: &str) -> Result<Vec<Shown>, String> {
    let mut found: Vec<Shown> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push(Shown { command: command.to_owned(), output: String::new() });
            open = command.ends_with('\\');
            continue;
        }
        let last = found.last_mut().ok_or("the block begins with no command")?;
        let goes_on = line.strip_prefix("> ").filter(|_| last.output.is_empty());
        if open || goes_on.is_some() {
            let line = goes_on.unwrap_or(line);
            last.command.push('\n');
            last.command.push_str(line);
            open = line.ends_with('\\');
        } else {
            last.output.push_str(line);
            last.output.push('\n');
        }
    }
    Ok(found)
}

/// Whether what was printed is what the page shows. A line `...` stands for any number of lines.
pub(super) fn agrees(shown: &str, printed: &str) -> bool {
    let shown: Vec<String> = shown.trim_end().lines().map(plain).collect();
    let printed: Vec<String> = printed.trim_end().lines().map(plain).collect();
    matches(&shown, &printed)
}

fn matches(shown: &[String], printed: &[String]) -> bool {
    match (shown.split_first(), printed.split_first()) {
        (None, None) => true,
        (Some((line, rest)), _) if line == "..." => {
            (0..=printed.len()).any(|skip| matches(rest, printed.get(skip..).unwrap_or_default()))
        }
        (Some((a, shown)), Some((b, printed))) => a == b && matches(shown, printed),
        _ => false,
    }
}

/// A line without what differs from run to run: times, how long something took, digests, how wide a
/// column is.
fn plain(line: &str) -> String {
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut plain: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if DAYS.contains(word) && words.len() >= at + 4 {
            // Such as `Thu Nov 26 16:49:02 2026`.
            at += 4;
            plain.push("TIME".to_owned());
        } else if is_time(word) {
            while words.get(at).is_some_and(|next| is_time(next)) {
                at += 1;
            }
            plain.push("TIME".to_owned());
        } else {
            plain.push(word_of(word));
        }
    }
    indent + &plain.join(" ")
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A date, a clock's time, both, or a zone.
fn is_time(word: &str) -> bool {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let shape = shape.trim_matches(['"', '\'']);
    shape.starts_with("0000-00-00")
        || shape.starts_with("00:00:00")
        || ["+0000", "UTC"].contains(&word)
}

fn word_of(word: &str) -> String {
    if let Some((before, digest)) = word.split_once("sha256:")
        && digest.chars().take_while(char::is_ascii_hexdigit).count() == 64
    {
        return format!("{before}sha256:DIGEST");
    }
    if word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit()) {
        return "DIGEST".to_owned();
    }
    let bare = word.trim_end_matches(['.', ',', ')', ':']).trim_start_matches('(');
    if is_duration(bare) { word.replace(bare, "DURATION") } else { word.to_owned() }
}

/// Such as `0.4s`, `5m30s`, `12ms`.
fn is_duration(word: &str) -> bool {
    let shape: String = word.chars().filter(|c| !c.is_ascii_digit() && *c != '.').collect();
    word.starts_with(|c: char| c.is_ascii_digit())
        && ["ms", "s", "ds", "m", "h", "d", "ms", "hm", "hms"].contains(&shape.as_str())
}

#[test]
fn pages_are_read() {
    let page = "# A\n\n```sh\nexport A=b\n```\n\n1. list\n   ```console\n   $ a \\\n     b\n   out\n   $ c <<E\n   \
                > x\n   > E\n   ```\n```yaml\nskipped: 1\n```\n```yaml file=a/b.yaml\nk: v\n```\n";
    let blocks = parse(page).unwrap();
    let steps: Vec<_> = blocks.iter().map(|block| (block.line, &block.step)).collect();
    assert_eq!(steps[0], (3, &Step::Run("export A=b\n".to_owned())));
    let shown = |command: &str, output: &str| Shown {
        command: command.to_owned(),
        output: output.to_owned(),
    };
    let commands = vec![shown("a \\\n  b", "out\n"), shown("c <<E\nx\nE", "")];
    assert_eq!(steps[1], (8, &Step::Shown { commands, sample: false, fails: false }));
    let save = Step::Save { name: "a/b.yaml".to_owned(), text: "k: v\n".to_owned() };
    assert_eq!(steps[2], (19, &save));
    assert!(parse("```sh maybe\n```\n").unwrap_err().contains("maybe"));
    assert!(parse("```sh\n").unwrap_err().contains("no end"));
}

#[test]
fn output_is_compared_without_what_changes() {
    let all = |text| agrees("a 1\n...\nlast deployed: Thu Nov 26 16:49:02 2026\nafter 0.4s", text);
    assert!(all("a   1\nb\nc\nlast deployed: Mon Jan  2 01:02:03 2023\nafter 12ms\n\n"));
    assert!(!all("a 1\nb\nlast deployed: Mon Jan  2 01:02:03 2023\nafter a while"));
    assert!(agrees(
        "x\t1\t2026-11-26 16:49:02.1 +0000 UTC\tdeployed",
        "x  1  2027-01-02 06:09:02.123456 +0000 UTC  deployed"
    ));
    assert!(!agrees("replicas: 2", "replicas: 3"));
    assert!(!agrees("  replicas: 2", "replicas: 2"));
}
