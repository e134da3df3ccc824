//! A release as `helm template` prints it.

use super::{Error, ErrorKind, Options};
use bowsprit_manifest::{Hook, HookEvent};
use bowsprit_render::{ErrorKind as RenderErrorKind, Release};
use bowsprit_value::unicode;
use std::borrow::Cow;

/// The release's text: custom resource definitions if they are wanted, manifests, hooks.
pub fn print(release: &Release, options: &Options) -> Vec<u8> {
    pieces(release, options).concat()
}

/// The release's text as [`print()`] has it, in pieces, for whoever need not have all of it at once.
pub fn pieces<'r>(release: &'r Release, options: &Options) -> Vec<Cow<'r, [u8]>> {
    let mut pieces = Vec::with_capacity(DOCUMENT * (release.manifests.len() + release.hooks.len()));
    if options.include_crds {
        for crd in release.crds() {
            let parts = document(crd.filename.as_bytes(), crd.file.data.as_bytes());
            pieces.extend(parts.map(|part| Cow::Owned(part.to_vec())));
        }
    }
    for manifest in &release.manifests {
        let parts = document(manifest.path.as_bytes(), manifest.content.as_bytes());
        pieces.extend(parts.map(Cow::Borrowed));
    }
    trim_pieces(&mut pieces);
    pieces.push(Cow::Borrowed(b"\n"));
    for hook in wanted_hooks(&release.hooks, options) {
        let parts = document(hook.path.as_bytes(), hook.manifest.as_bytes());
        pieces.extend(parts.map(Cow::Borrowed));
    }
    pieces
}

/// Takes white space off the end; the text begins with none.
fn trim_pieces(pieces: &mut Vec<Cow<'_, [u8]>>) {
    while let Some(last) = pieces.pop() {
        let end = last.len() - trim_end(&last);
        if end > 0 {
            pieces.push(match last {
                Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or_default()),
                Cow::Owned(mut text) => {
                    text.truncate(end);
                    Cow::Owned(text)
                }
            });
            return;
        }
    }
}

/// What `helm template --debug` prints of a release that could not be made: the rendered files as they
/// are where these are no YAML, one empty line where a template failed, and nothing where there was no
/// release yet.
pub fn print_broken(error: &Error, options: &Options) -> Vec<u8> {
    let ErrorKind::Render(render) = error.kind() else { return Vec::new() };
    if !error.has_release() {
        return Vec::new();
    }
    let mut out = Vec::new();
    if let RenderErrorKind::Manifest { files, .. } = render.kind() {
        for (path, text) in files.iter().filter(|(_, text)| !trim(text).is_empty()) {
            push_document(&mut out, path.as_bytes(), text);
        }
    }
    finish(out, wanted_hooks(broken_hooks(error), options))
}

/// The hooks that had been found when a render failed.
pub(super) fn broken_hooks(error: &Error) -> &[Hook] {
    match error.kind() {
        ErrorKind::Render(error) => match error.kind() {
            RenderErrorKind::Manifest { error, .. } => &error.hooks,
            _ => &[],
        },
        _ => &[],
    }
}

/// Only the manifests are trimmed; what comes behind the hooks stays.
fn finish<'h>(mut out: Vec<u8>, hooks: impl Iterator<Item = &'h Hook>) -> Vec<u8> {
    let end = out.len() - trim_end(&out);
    out.truncate(end);
    let start = trim_start(&out);
    out.drain(..start);
    out.push(b'\n');
    for hook in hooks {
        push_document(&mut out, hook.path.as_bytes(), hook.manifest.as_bytes());
    }
    out
}

pub(super) fn wanted_hooks<'h>(
    hooks: &'h [Hook],
    options: &Options,
) -> impl Iterator<Item = &'h Hook> {
    let (no_hooks, skip_tests) = (options.no_hooks, options.skip_tests);
    let unwanted = move |hook: &Hook| skip_tests && hook.events.contains(&HookEvent::Test);
    hooks.iter().filter(move |hook| !no_hooks && !unwanted(hook))
}

const DOCUMENT: usize = 5;

fn document<'d>(path: &'d [u8], content: &'d [u8]) -> [&'d [u8]; DOCUMENT] {
    [b"---\n# Source: ", path, b"\n", content, b"\n"]
}

pub(super) fn push_document(out: &mut Vec<u8>, path: &[u8], content: &[u8]) {
    document(path, content).into_iter().for_each(|part| out.extend_from_slice(part));
}

/// Go's `strings.TrimSpace`.
fn trim(text: &[u8]) -> &[u8] {
    let text = text.get(trim_start(text)..).unwrap_or_default();
    text.get(..text.len() - trim_end(text)).unwrap_or_default()
}

/// The bytes of white space that the text begins with.
fn trim_start(text: &[u8]) -> usize {
    let spaces = unicode::runes(text).take_while(|(rune, _)| unicode::is_space(*rune));
    spaces.map(|(_, width)| width).sum()
}

/// The bytes of white space that the text ends with.
fn trim_end(text: &[u8]) -> usize {
    let mut end = text.len();
    while let Some(rest) = text.get(..end).filter(|rest| !rest.is_empty()) {
        let (rune, width) = unicode::decode_last_rune(rest);
        if !unicode::is_space(rune) || width == 0 {
            break;
        }
        end -= width.min(end);
    }
    text.len() - end
}

#[cfg(test)]
mod tests {
    use super::trim;

    #[test]
    fn trims_unicode_space() {
        for (text, want) in [
            ("", ""),
            (" \n", ""),
            ("\u{a0}a b\u{2003}\r\n", "a b"),
            ("a", "a"),
            ("\u{85}é\u{feff}", "é\u{feff}"),
        ] {
            assert_eq!(trim(text.as_bytes()), want.as_bytes(), "{text:?}");
        }
        assert_eq!(trim(b"\xff \xff "), b"\xff \xff");
    }
}
