//! The parser: tokens to the syntax tree of the first document.
//!
//! The states and their transitions are libyaml's. Nesting lives in explicit stacks, so that no input
//! can exhaust the native one.

use crate::error::Error;
use crate::scan::{Encoding, Input, Scanner, Token, TokenKind};
use crate::tree::{MAX_SOURCE, Node, NodeKind, Style, Text, Tree};
use std::borrow::Cow;
use std::collections::BTreeMap;

impl<'b> Tree<'b> {
    /// The syntax of the first document; `None` where there is none.
    pub(crate) fn parse(bytes: &'b [u8]) -> Result<Option<Tree<'b>>, Error> {
        if bytes.len() > MAX_SOURCE {
            return Err(Error::syntax("document is too large", None));
        }
        let (encoding, mark) = match bytes {
            [0xff, 0xfe, ..] => (Encoding::Utf16Le, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16Be, 2),
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
            _ => (Encoding::Utf8, 0),
        };
        let (source, start, complete) = if encoding == Encoding::Utf8 {
            (Cow::Borrowed(bytes), mark, true)
        } else {
            let (text, complete) = encoding.transcode(bytes.get(mark..).unwrap_or_default());
            (Cow::Owned(text), 0, complete)
        };
        let parser = Parser {
            scanner: Scanner::new(&Input { bytes, encoding, mark, text: &source, start, complete }),
            states: vec![State::DocumentEnd],
            state: State::BlockNode,
            tag_directives: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: Vec::with_capacity(source.len() / 16),
            open: Vec::new(),
            last_end: start as u32,
        };
        let Some(parser) = parser.parse_document()? else { return Ok(None) };
        let (nodes, arena) = (parser.nodes, parser.scanner.into_arena());
        Ok(Some(Tree { source, arena, nodes }))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowSequenceEntryMappingKey,
    FlowSequenceEntryMappingValue,
    FlowSequenceEntryMappingEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
}

/// Where a node may stand, which says what it can be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Block,
    /// After a key or its `:`, where a sequence need not be indented.
    BlockOrIndentless,
    Flow,
}

/// Anchor and tag before a node.
#[derive(Clone, Copy)]
struct Properties {
    start: u32,
    end: u32,
    line: u32,
    anchor: Option<Text>,
    tag: Text,
}

struct TagDirective {
    handle: Vec<u8>,
    prefix: Vec<u8>,
}

struct Parser<'s> {
    scanner: Scanner<'s>,
    state: State,
    states: Vec<State>,
    tag_directives: Vec<TagDirective>,
    anchors: BTreeMap<Vec<u8>, u32>,
    nodes: Vec<Node>,
    open: Vec<u32>,
    /// Where the last token ended that belongs to a node.
    last_end: u32,
}

/// goyaml's line number of a parser error is one too low, and missing on the first two lines.
fn parser_error(problem: &'static str, line: u32) -> Error {
    Error::syntax(problem, (line != 0).then_some(line))
}

impl Parser<'_> {
    fn parse_document(mut self) -> Result<Option<Self>, Error> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::StreamEnd => return Ok(None),
            TokenKind::VersionDirective | TokenKind::TagDirective | TokenKind::DocumentStart => {
                self.process_directives()?;
                let token = self.scanner.peek()?;
                if token.kind != TokenKind::DocumentStart {
                    return Err(parser_error("did not find expected <document start>", token.line));
                }
                self.scanner.skip_token();
                self.state = State::DocumentContent;
            }
            _ => self.process_directives()?,
        }
        while self.state != State::DocumentEnd {
            self.step()?;
        }
        // goyaml looks at what ends the document, and may fail over it.
        self.scanner.peek()?;
        Ok(Some(self))
    }

    fn process_directives(&mut self) -> Result<(), Error> {
        let mut version_seen = false;
        loop {
            let token = self.scanner.peek()?;
            match token.kind {
                TokenKind::VersionDirective if version_seen => {
                    return Err(parser_error("found duplicate %YAML directive", token.line));
                }
                TokenKind::VersionDirective if token.version != (1, 1) => {
                    return Err(parser_error("found incompatible YAML document", token.line));
                }
                TokenKind::VersionDirective => version_seen = true,
                TokenKind::TagDirective => self.add_tag_directive(token)?,
                _ => break,
            }
            self.scanner.skip_token();
        }
        for (handle, prefix) in [(&b"!"[..], &b"!"[..]), (b"!!", b"tag:yaml.org,2002:")] {
            if !self.tag_directives.iter().any(|d| d.handle == handle) {
                let directive = TagDirective { handle: handle.into(), prefix: prefix.into() };
                self.tag_directives.push(directive);
            }
        }
        Ok(())
    }

    fn add_tag_directive(&mut self, token: Token) -> Result<(), Error> {
        let handle = self.scanner.text(token.value).to_vec();
        if self.tag_directives.iter().any(|d| d.handle == handle) {
            return Err(parser_error("found duplicate %TAG directive", token.line));
        }
        let prefix = self.scanner.text(token.suffix).to_vec();
        self.tag_directives.push(TagDirective { handle, prefix });
        Ok(())
    }

    fn step(&mut self) -> Result<(), Error> {
        match self.state {
            State::DocumentContent => self.parse_document_content(),
            State::DocumentEnd => Ok(()),
            State::BlockNode => self.parse_node(Context::Block),
            State::BlockSequenceFirstEntry => {
                self.scanner.peek()?;
                self.scanner.skip_token();
                self.parse_block_sequence_entry()
            }
            State::BlockSequenceEntry => self.parse_block_sequence_entry(),
            State::IndentlessSequenceEntry => self.parse_indentless_sequence_entry(),
            State::BlockMappingFirstKey => {
                self.scanner.peek()?;
                self.scanner.skip_token();
                self.parse_block_mapping_key()
            }
            State::BlockMappingKey => self.parse_block_mapping_key(),
            State::BlockMappingValue => self.parse_block_mapping_value(),
            State::FlowSequenceFirstEntry => self.parse_flow_sequence_entry(true),
            State::FlowSequenceEntry => self.parse_flow_sequence_entry(false),
            State::FlowSequenceEntryMappingKey => self.parse_flow_sequence_entry_mapping_key(),
            State::FlowSequenceEntryMappingValue => self.parse_flow_sequence_entry_mapping_value(),
            State::FlowSequenceEntryMappingEnd => {
                self.scanner.peek()?;
                self.state = State::FlowSequenceEntry;
                self.close(self.last_end);
                Ok(())
            }
            State::FlowMappingFirstKey => self.parse_flow_mapping_key(true),
            State::FlowMappingKey => self.parse_flow_mapping_key(false),
            State::FlowMappingValue => self.parse_flow_mapping_value(),
            State::FlowMappingEmptyValue => {
                let token = self.scanner.peek()?;
                self.empty_scalar(State::FlowMappingKey, token.start, token.line);
                Ok(())
            }
        }
    }

    fn parse_document_content(&mut self) -> Result<(), Error> {
        let token = self.scanner.peek()?;
        if matches!(
            token.kind,
            TokenKind::VersionDirective
                | TokenKind::TagDirective
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        ) {
            let state = self.pop_state();
            self.empty_scalar(state, token.start, token.line);
            return Ok(());
        }
        self.parse_node(Context::Block)
    }

    fn pop_state(&mut self) -> State {
        self.states.pop().unwrap_or(State::DocumentEnd)
    }

    /// Takes the token that was peeked, and gives the one after it.
    fn next_token(&mut self) -> Result<Token, Error> {
        self.scanner.skip_token();
        self.scanner.peek()
    }

    fn push(&mut self, kind: NodeKind, token: Token, properties: Properties) -> &mut Node {
        let node = Node {
            kind,
            style: token.style,
            implicit: properties.tag.is_empty(),
            flow: false,
            line: properties.line,
            start: properties.start,
            end: properties.end,
            value: Text::EMPTY,
            tag: properties.tag,
            next: 0,
        };
        let index = self.nodes.len() as u32;
        if let Some(anchor) = properties.anchor {
            self.anchors.insert(self.scanner.text(anchor).to_vec(), index);
        }
        if matches!(kind, NodeKind::Sequence | NodeKind::Mapping) {
            self.open.push(index);
        }
        self.nodes.push(node);
        // Just pushed, so the last one is there.
        let last = self.nodes.len() - 1;
        &mut self.nodes[last]
    }

    fn empty_scalar(&mut self, next: State, pos: u32, line: u32) {
        self.state = next;
        self.nodes.push(Node {
            kind: NodeKind::Scalar,
            style: Style::Plain,
            implicit: true,
            flow: false,
            line,
            start: pos,
            end: pos,
            value: Text::EMPTY,
            tag: Text::EMPTY,
            next: 0,
        });
    }

    fn close(&mut self, end: u32) {
        let next = self.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|i| self.nodes.get_mut(i as usize)) {
            node.next = next;
            node.end = end;
        }
    }

    fn parse_node(&mut self, context: Context) -> Result<(), Error> {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::Alias {
            return self.parse_alias(token);
        }
        let (properties, token) = self.parse_properties(token)?;
        let block = context != Context::Flow;
        let (kind, state) = match token.kind {
            TokenKind::BlockEntry if context == Context::BlockOrIndentless => {
                (NodeKind::Sequence, State::IndentlessSequenceEntry)
            }
            TokenKind::Scalar => return self.parse_scalar(token, properties),
            TokenKind::FlowSequenceStart => (NodeKind::Sequence, State::FlowSequenceFirstEntry),
            TokenKind::FlowMappingStart => (NodeKind::Mapping, State::FlowMappingFirstKey),
            TokenKind::BlockSequenceStart if block => {
                (NodeKind::Sequence, State::BlockSequenceFirstEntry)
            }
            TokenKind::BlockMappingStart if block => {
                (NodeKind::Mapping, State::BlockMappingFirstKey)
            }
            _ => return self.parse_missing_content(token, properties),
        };
        self.state = state;
        let flow = matches!(token.kind, TokenKind::FlowSequenceStart | TokenKind::FlowMappingStart);
        self.push(kind, token, properties).flow = flow;
        Ok(())
    }

    fn parse_alias(&mut self, token: Token) -> Result<(), Error> {
        self.state = self.pop_state();
        let name = self.scanner.text(token.value);
        let Some(&target) = self.anchors.get(name) else {
            let name = String::from_utf8_lossy(name);
            return Err(Error::content(format!("unknown anchor '{name}' referenced")));
        };
        let properties = Properties {
            start: token.start,
            end: token.end,
            line: token.line,
            anchor: None,
            tag: Text::EMPTY,
        };
        let node = self.push(NodeKind::Alias, token, properties);
        node.value = token.value;
        node.next = target;
        self.last_end = token.end;
        self.scanner.skip_token();
        Ok(())
    }

    fn parse_properties(&mut self, first: Token) -> Result<(Properties, Token), Error> {
        let mut token = first;
        let mut tag = None;
        let mut properties = Properties {
            start: first.start,
            end: first.end,
            line: first.line,
            anchor: None,
            tag: Text::EMPTY,
        };
        for _ in 0..2 {
            match token.kind {
                TokenKind::Anchor if properties.anchor.is_none() => {
                    properties.anchor = Some(token.value);
                }
                TokenKind::Tag if tag.is_none() => tag = Some(token),
                _ => break,
            }
            properties.end = token.end;
            self.last_end = token.end;
            token = self.next_token()?;
        }
        if let Some(tag) = tag {
            properties.tag = self.resolve_tag(tag)?;
        }
        Ok((properties, token))
    }

    fn resolve_tag(&mut self, token: Token) -> Result<Text, Error> {
        if token.value.is_empty() {
            return Ok(token.suffix);
        }
        let handle = self.scanner.text(token.value);
        let Some(directive) = self.tag_directives.iter().find(|d| d.handle == handle) else {
            return Err(parser_error("found undefined tag handle", token.line));
        };
        let suffix = self.scanner.text(token.suffix).to_vec();
        let tag = self.scanner.intern([&directive.prefix, &suffix]);
        if tag.is_empty() {
            return Err(parser_error("found undefined tag handle", token.line));
        }
        Ok(tag)
    }

    fn parse_scalar(&mut self, token: Token, properties: Properties) -> Result<(), Error> {
        self.state = self.pop_state();
        let tag = self.scanner.text(properties.tag);
        let implicit = match tag {
            b"" => token.style == Style::Plain,
            tag => tag == b"!",
        };
        let node = self.push(NodeKind::Scalar, token, properties);
        node.implicit = implicit;
        node.value = token.value;
        node.end = token.end;
        self.last_end = token.end;
        self.scanner.skip_token();
        Ok(())
    }

    fn parse_missing_content(&mut self, token: Token, properties: Properties) -> Result<(), Error> {
        if properties.anchor.is_none() && properties.tag.is_empty() {
            return Err(parser_error("did not find expected node content", token.line));
        }
        self.state = self.pop_state();
        let node = self.push(NodeKind::Scalar, token, properties);
        node.style = Style::Plain;
        Ok(())
    }

    fn parse_block_sequence_entry(&mut self) -> Result<(), Error> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::BlockEntry => {
                let mark = token;
                self.last_end = mark.end;
                let token = self.next_token()?;
                if matches!(token.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    self.empty_scalar(State::BlockSequenceEntry, mark.end, mark.line);
                    return Ok(());
                }
                self.states.push(State::BlockSequenceEntry);
                self.parse_node(Context::Block)
            }
            TokenKind::BlockEnd => self.end_block_collection(),
            _ => Err(parser_error("did not find expected '-' indicator", token.line)),
        }
    }

    fn end_block_collection(&mut self) -> Result<(), Error> {
        self.state = self.pop_state();
        self.close(self.last_end);
        self.scanner.skip_token();
        Ok(())
    }

    fn parse_indentless_sequence_entry(&mut self) -> Result<(), Error> {
        let mark = self.scanner.peek()?;
        if mark.kind != TokenKind::BlockEntry {
            self.state = self.pop_state();
            self.close(self.last_end);
            return Ok(());
        }
        self.last_end = mark.end;
        let token = self.next_token()?;
        if matches!(
            token.kind,
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        ) {
            self.empty_scalar(State::IndentlessSequenceEntry, mark.end, mark.line);
            return Ok(());
        }
        self.states.push(State::IndentlessSequenceEntry);
        self.parse_node(Context::Block)
    }

    fn parse_block_mapping_key(&mut self) -> Result<(), Error> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Key => self.parse_block_mapping_part(token, State::BlockMappingValue),
            TokenKind::BlockEnd => self.end_block_collection(),
            _ => Err(parser_error("did not find expected key", token.line)),
        }
    }

    fn parse_block_mapping_value(&mut self) -> Result<(), Error> {
        let token = self.scanner.peek()?;
        if token.kind == TokenKind::Value {
            return self.parse_block_mapping_part(token, State::BlockMappingKey);
        }
        self.empty_scalar(State::BlockMappingKey, token.start, token.line);
        Ok(())
    }

    /// The node after a key or value indicator, which may be missing.
    fn parse_block_mapping_part(&mut self, mark: Token, next: State) -> Result<(), Error> {
        self.last_end = self.last_end.max(mark.end);
        let token = self.next_token()?;
        if matches!(token.kind, TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd) {
            self.empty_scalar(next, mark.end, mark.line);
            return Ok(());
        }
        self.states.push(next);
        self.parse_node(Context::BlockOrIndentless)
    }

    fn end_flow_collection(&mut self, token: Token) -> Result<(), Error> {
        self.state = self.pop_state();
        self.close(token.end);
        self.last_end = token.end;
        self.scanner.skip_token();
        Ok(())
    }

    fn parse_flow_sequence_entry(&mut self, first: bool) -> Result<(), Error> {
        let mut token = self.scanner.peek()?;
        if first {
            token = self.next_token()?;
        }
        if token.kind == TokenKind::FlowSequenceEnd {
            return self.end_flow_collection(token);
        }
        if !first {
            if token.kind != TokenKind::FlowEntry {
                return Err(parser_error("did not find expected ',' or ']'", token.line));
            }
            token = self.next_token()?;
        }
        match token.kind {
            TokenKind::Key => {
                self.state = State::FlowSequenceEntryMappingKey;
                let properties = Properties {
                    start: token.start,
                    end: token.end,
                    line: token.line,
                    anchor: None,
                    tag: Text::EMPTY,
                };
                self.push(NodeKind::Mapping, token, properties).flow = true;
                self.scanner.skip_token();
                Ok(())
            }
            TokenKind::FlowSequenceEnd => self.end_flow_collection(token),
            _ => {
                self.states.push(State::FlowSequenceEntry);
                self.parse_node(Context::Flow)
            }
        }
    }

    fn parse_flow_sequence_entry_mapping_key(&mut self) -> Result<(), Error> {
        let token = self.scanner.peek()?;
        if matches!(
            token.kind,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
        ) {
            // libyaml swallows the token here, so that `[?]` lacks its bracket.
            self.scanner.skip_token();
            self.empty_scalar(State::FlowSequenceEntryMappingValue, token.end, token.line);
            return Ok(());
        }
        self.states.push(State::FlowSequenceEntryMappingValue);
        self.parse_node(Context::Flow)
    }

    fn parse_flow_sequence_entry_mapping_value(&mut self) -> Result<(), Error> {
        let mark = self.scanner.peek()?;
        if mark.kind == TokenKind::Value {
            self.last_end = mark.end;
            let token = self.next_token()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowSequenceEnd) {
                self.states.push(State::FlowSequenceEntryMappingEnd);
                return self.parse_node(Context::Flow);
            }
        }
        self.empty_scalar(State::FlowSequenceEntryMappingEnd, mark.start, mark.line);
        Ok(())
    }

    fn parse_flow_mapping_key(&mut self, first: bool) -> Result<(), Error> {
        let mut token = self.scanner.peek()?;
        if first {
            token = self.next_token()?;
        }
        if token.kind == TokenKind::FlowMappingEnd {
            return self.end_flow_collection(token);
        }
        if !first {
            if token.kind != TokenKind::FlowEntry {
                return Err(parser_error("did not find expected ',' or '}'", token.line));
            }
            token = self.next_token()?;
        }
        match token.kind {
            TokenKind::Key => {
                let token = self.next_token()?;
                self.parse_flow_mapping_part(token, State::FlowMappingValue)
            }
            TokenKind::FlowMappingEnd => self.end_flow_collection(token),
            _ => {
                self.states.push(State::FlowMappingEmptyValue);
                self.parse_node(Context::Flow)
            }
        }
    }

    fn parse_flow_mapping_value(&mut self) -> Result<(), Error> {
        let token = self.scanner.peek()?;
        if token.kind != TokenKind::Value {
            self.empty_scalar(State::FlowMappingKey, token.start, token.line);
            return Ok(());
        }
        self.last_end = token.end;
        let token = self.next_token()?;
        if matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
            self.empty_scalar(State::FlowMappingKey, token.start, token.line);
            return Ok(());
        }
        self.states.push(State::FlowMappingKey);
        self.parse_node(Context::Flow)
    }

    fn parse_flow_mapping_part(&mut self, token: Token, next: State) -> Result<(), Error> {
        if matches!(token.kind, TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd)
        {
            self.empty_scalar(next, token.start, token.line);
            return Ok(());
        }
        self.states.push(next);
        self.parse_node(Context::Flow)
    }
}
