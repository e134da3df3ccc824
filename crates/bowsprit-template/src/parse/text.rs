//! The text of a node, as Go's `Node.String` prints it.

use super::lexer::Lexer;
use super::token::TokenKind;
use bowsprit_value::strconv;

/// The normalised text of a node that starts and ends at the bounds of `source`: words are separated
/// by one blank, literals keep their spelling.
pub(crate) fn node_text(source: &[u8]) -> String {
    let mut lexer = Lexer::inside(source);
    let mut out: Vec<u8> = Vec::with_capacity(source.len());
    let mut gap = false;
    loop {
        let token = lexer.next_token();
        let text = source.get(token.start as usize..token.end as usize).unwrap_or_default();
        match token.kind {
            // The span ends inside the action, so the scanner reports an unclosed one at its end.
            TokenKind::Eof | TokenKind::Error => break,
            TokenKind::Space => gap = !out.is_empty(),
            TokenKind::Pipe => join(&mut out, b" | ", &mut gap),
            TokenKind::Declare => join(&mut out, b" := ", &mut gap),
            TokenKind::Assign => join(&mut out, b" = ", &mut gap),
            TokenKind::Char if text == b"," => join(&mut out, b", ", &mut gap),
            TokenKind::RightParen => {
                gap = false;
                forget_last_pipe(&mut out);
                out.push(b')');
            }
            _ => {
                if gap && !matches!(out.last(), Some(b' ' | b'(')) {
                    out.push(b' ');
                }
                gap = false;
                out.extend_from_slice(text);
            }
        }
    }
    forget_last_pipe(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Go lets a pipeline end in a pipe, and forgets it.
fn forget_last_pipe(out: &mut Vec<u8>) {
    if out.ends_with(b" | ") {
        out.truncate(out.len() - 3);
    }
}

fn join(out: &mut Vec<u8>, separator: &[u8], gap: &mut bool) {
    *gap = false;
    out.extend_from_slice(separator);
}

/// The text of a `{{template}}` node, from the span of its name to the end of its pipeline.
pub(crate) fn template_text(source: &[u8]) -> String {
    let mut lexer = Lexer::inside(source);
    let name = lexer.next_token();
    let quoted = source.get(name.start as usize..name.end as usize).unwrap_or_default();
    let rest = node_text(source.get(name.end as usize..).unwrap_or_default());
    let name = strconv::unquote(quoted).unwrap_or_default();
    let name = String::from_utf8_lossy(&strconv::quote(&name)).into_owned();
    let rest = rest.trim_start();
    if rest.is_empty() {
        format!("{{{{template {name}}}}}")
    } else {
        format!("{{{{template {name} {rest}}}}}")
    }
}
